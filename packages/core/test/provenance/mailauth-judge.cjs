// Asks mailauth, in a process of its own: what it is built from doesn't bear being loaded by a test runner.
// Input: one JSON object a line, { kind: 'dkim' | 'spf' | 'dmarc', records: { 'TXT name': [...] }, … }; output: a result a line.
const { createInterface } = require('node:readline')
const { dkimVerify } = require('mailauth/lib/dkim/verify.js')
const { spf } = require('mailauth/lib/spf/index.js')
const verifyDmarc = require('mailauth/lib/dmarc/verify.js')

async function judge(asked) {
  const resolver = async (name, kind) => {
    const found = asked.records[`${kind} ${name.toLowerCase().replace(/\.$/, '')}`]
    if (found === 'TIMEOUT') throw Object.assign(new Error(name), { code: 'ETIMEOUT' })
    if (found !== undefined) return found
    const exists = Object.keys(asked.records).some((question) => question.endsWith(` ${name.toLowerCase()}`) || question.toLowerCase().endsWith(`.${name.toLowerCase()}`))
    throw Object.assign(new Error(name), { code: exists ? 'ENODATA' : 'ENOTFOUND' })
  }
  if (asked.kind === 'dkim') {
    const { results } = await dkimVerify(Buffer.from(asked.message, 'base64'), { resolver })
    return results.map(({ status }) => status.result)
  }
  if (asked.kind === 'dmarc') {
    const { fromDomain, spfDomain, dkimDomains } = asked
    const found = await verifyDmarc({ headerFrom: `ann@${fromDomain}`, spfDomains: spfDomain === undefined ? [] : [{ domain: spfDomain }], dkimDomains: dkimDomains.map((domain) => ({ domain })), resolver, strict: true })
    return found === false ? 'none' : { result: found.status.result, policy: found.policy, domain: found.policyDomain }
  }
  const { status } = await spf({ sender: asked.sender, ip: asked.ip, helo: asked.helo, mta: 'receiver.example', resolver, strict: true })
  return [status.result, status.comment]
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
