// npm run test:faults: the promise, while everything fails that can. npm run test:faults -- revived:
// the files whose path has one of these words.
// COATCHECK_SEED=… repeats the choices, COATCHECK_ROUNDS=… plays longer, COATCHECK_STORES=postgres
// (sentinels, cluster, with commas in between) takes fewer stores.

import { filesUnder } from './files.ts'
import { providePrograms } from './programs.ts'
import { runTests } from './run-tests.ts'

const words = process.argv.slice(2)
const files = filesUnder('test/faults')
  .filter((file) => file.endsWith('.faults.ts'))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
const { ready, problem } = providePrograms(files)
// One after the other: each has servers and processes enough for this machine.
const outcome = await runTests(ready, { concurrency: 1 })
const problems = [...outcome.problems, ...(problem === undefined ? [] : [problem])]
if (files.length === 0) problems.push(`No file has ${words.join(' or ')} in its path.`)
if (problems.length > 0) console.log(`\n${problems.map((line) => `✖ ${line}`).join('\n')}`)
const failed = outcome.failed + problems.length
console.log(`\n${outcome.passed.length} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
