// Asks mailauth, in a process of its own: what it is built from doesn't bear being loaded by a test runner.
// Input: one JSON object a line, { kind: 'dkim' | 'spf', records: { 'TXT name': [...] }, … }; output: a result a line.
const { createInterface } = require('node:readline')
const { dkimVerify } = require('mailauth/lib/dkim/verify.js')
const { spf } = require('mailauth/lib/spf/index.js')

async function judge(asked) {
  const resolver = async (name, kind) => {
    const found = asked.records[`${kind} ${name.toLowerCase().replace(/\.$/, '')}`]
    if (found === 'TIMEOUT') throw Object.assign(new Error(name), { code: 'ETIMEOUT' })
    if (found === undefined) throw Object.assign(new Error(name), { code: 'ENOTFOUND' })
    return found
  }
  if (asked.kind === 'dkim') {
    const { results } = await dkimVerify(Buffer.from(asked.message, 'base64'), { resolver })
    return results.map(({ status }) => status.result)
  }
  const { status } = await spf({ sender: asked.sender, ip: asked.ip, helo: asked.helo, mta: 'receiver.example', resolver })
  return status.result
}

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    let answer
    try {
      answer = await judge(JSON.parse(line))
    } catch (error) {
      answer = `error ${error.message}`
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}
void main()
