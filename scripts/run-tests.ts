import { isAbsolute, join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { root } from './run.mjs'

/** What came of some test files. */
export interface Outcome {
  /** Titles. */
  readonly passed: readonly string[]
  readonly failed: number
  /** What is wrong besides: each counts as failed. */
  readonly problems: readonly string[]
}

/** How they are run. */
export interface Running {
  /** Only tests whose title matches. */
  readonly name?: string | undefined
  /** So many files at a time; 2 by default. */
  readonly concurrency?: number
}

/** One test; a test that needs longer says so itself. */
const TEST_MILLISECONDS = 120_000
/** They are never all silent for so long, whatever limits tests set themselves. */
const SILENT_MILLISECONDS = 300_000

/** Runs test files, shows what they say, and counts. Nothing may be skipped, or have no test at all. */
export async function runTests(
  files: readonly string[],
  { name: pattern, concurrency = 2 }: Running = {},
): Promise<Outcome> {
  const passed: string[] = []
  const problems: string[] = []
  let failed = 0
  const silence = new AbortController()
  const underWay = new Set<string>()
  let heardAt = Date.now()
  const stream = run({
    files: files.map((file) => join(root, file)),
    cwd: root,
    concurrency,
    timeout: TEST_MILLISECONDS,
    signal: silence.signal,
    ...(pattern === undefined ? {} : { testNamePatterns: [pattern] }),
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
    if (Date.now() - heardAt < SILENT_MILLISECONDS) return
    for (const file of underWay) problems.push(`${file} does not end: something is still open.`)
    clearInterval(watch)
    silence.abort()
  }, 1000)
  for await (const chunk of stream.compose(new spec())) process.stdout.write(chunk)
  clearInterval(watch)
  return { passed, failed, problems }
}
