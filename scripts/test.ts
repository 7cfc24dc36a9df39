// npm test: everything. npm test -- flows stores/lmdb: the files whose path has one of these words.
// npm test -- --name 'signs out': the tests whose title matches.

import { parseArgs } from 'node:util'
import { build } from './build.ts'
import { filesUnder } from './files.ts'
import { providePrograms } from './programs.ts'
import { requirements } from './requirements.ts'
import { runTests } from './run-tests.ts'

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string' } },
})
const everything = words.length === 0 && values.name === undefined
const problems: string[] = []
const passed: string[] = []
let failed = 0

let files = filesUnder('test').filter((file) => file.endsWith('.test.ts'))
if (words.length > 0) files = files.filter((file) => words.some((word) => file.includes(word)))

const { ready, notRun, problem } = providePrograms(files)
files = ready
if (problem !== undefined) {
  if (process.env['CI'] === 'true') problems.push(problem)
  else console.log(problem)
}
const buildProblems = build()
if (buildProblems !== '') {
  process.stderr.write(buildProblems)
  problems.push('The build failed; see above.')
}
if (files.length > 0) {
  const outcome = await runTests(files, { name: values.name })
  passed.push(...outcome.passed)
  problems.push(...outcome.problems)
  failed += outcome.failed
} else if (notRun.length === 0) problems.push(`No test file has ${words.join(' or ')} in its path.`)
if (everything) problems.push(...requirements({ passed }))

if (notRun.length > 0) console.log(`\nNOT RUN:\n${notRun.map((file) => `  ${file}`).join('\n')}`)
if (problems.length > 0) console.log(`\n${problems.map((line) => `✖ ${line}`).join('\n')}`)
failed += problems.length
console.log(`\n${passed.length} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
