// npm test: everything. npm test -- flows stores/lmdb: the files whose path has one of these words.
// npm test -- --name 'signs out': the tests whose title matches.

import { isAbsolute, join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'
import { build } from './build.ts'
import { filesUnder } from './files.ts'
import { providePrograms } from './programs.ts'
import { requirements } from './requirements.ts'
import { root } from './run.mjs'

/** One test; a test that needs longer says so itself. */
const testMilliseconds = 120_000
/** They are never all silent for so long, whatever limits tests set themselves. */
const silentMilliseconds = 300_000

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
if (files.length > 0) await runTests()
else if (notRun.length === 0) problems.push(`No test file has ${words.join(' or ')} in its path.`)
if (everything) problems.push(...requirements({ passed }))

if (notRun.length > 0) console.log(`\nNOT RUN:\n${notRun.map((file) => `  ${file}`).join('\n')}`)
if (problems.length > 0) console.log(`\n${problems.map((line) => `✖ ${line}`).join('\n')}`)
failed += problems.length
console.log(`\n${passed.length} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)

async function runTests(): Promise<void> {
  const silence = new AbortController()
  const underWay = new Set<string>()
  let heardAt = Date.now()
  const stream = run({
    files: files.map((file) => join(root, file)),
    cwd: root,
    concurrency: 2,
    timeout: testMilliseconds,
    signal: silence.signal,
    ...(values.name === undefined ? {} : { testNamePatterns: [values.name] }),
  })
  stream.on('test:dequeue', ({ name }) => {
    heardAt = Date.now()
    if (isAbsolute(name)) underWay.add(name)
  })
  stream.on('test:complete', ({ name }) => {
    heardAt = Date.now()
    underWay.delete(name)
  })
  stream.on('test:pass', (event) => {
    if (event.details.type === 'suite') return
    if (event.name === event.file) problems.push(`${event.file} has no test.`)
    else if (event.skip !== undefined || event.todo !== undefined) {
      problems.push(`Skipped or to do, which counts as failed: ${event.name}`)
    } else passed.push(event.name)
  })
  stream.on('test:fail', (event) => {
    if (event.details.type !== 'suite') failed += 1
  })
  const watch = setInterval(() => {
    if (Date.now() - heardAt < silentMilliseconds) return
    for (const file of underWay) problems.push(`${file} does not end: something is still open.`)
    clearInterval(watch)
    silence.abort()
  }, 1000)
  for await (const chunk of stream.compose(new spec())) process.stdout.write(chunk)
  clearInterval(watch)
}
