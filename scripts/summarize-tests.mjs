// Reads the test runner's report: prints each skipped test with its reason, which stands in its name, and the counts.
import { existsSync, readFileSync } from 'node:fs'

const [path, gatesCode] = process.argv.slice(2)
let passed = 0
let failed = 0
if (existsSync(path)) {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  for (const file of report.testResults) {
    if (file.status === 'failed' && file.assertionResults.length === 0) {
      failed += 1
      console.log(`failed to run: ${file.name}`)
    }
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1
      else if (test.status === 'failed') failed += 1
      else console.log(`skipped: ${test.fullName}`)
    }
  }
} else {
  console.log('The tests did not run: an earlier gate failed')
}
if (gatesCode !== '0' && failed === 0) failed = 1
console.log(`${passed} passed, ${failed} failed`)
