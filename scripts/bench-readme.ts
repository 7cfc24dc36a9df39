// npm run bench:readme: writes the performance section of the README from the last run of npm run bench.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LATEST, type Results, readResults } from '../bench/compare/results.ts'
import { table } from '../bench/compare/tables.ts'
import { root } from './run.mjs'

const START = '<!-- npm run bench:readme -->'
const END = '<!-- /npm run bench:readme -->'
const NEXT = '## What it does not do'
const README = join(root, 'README.md')

/** What is wrong with the section: nothing where there is neither a kept run nor a section. */
export function benchSectionDiffers(): string {
  const section = sectionOf(readFileSync(README, 'utf8'))
  if (section === undefined) return existsSync(LATEST) ? 'Run npm run bench:readme.' : ''
  if (!existsSync(LATEST)) return `The README has a section of a run that is not kept at ${LATEST}.`
  return section === benchSection(readResults()) ? '' : 'Run npm run bench:readme.'
}

/** The section, from a run. */
function benchSection(results: Results): string {
  const { machine, versions, hotPath, signOut, storm, space, size, quick } = results
  const { cpu, cores, node, date, load } = machine
  const parts = [
    `${cpu}, ${cores} cores, Node ${node.slice(1)}, ${date} UTC, load ${load} at the start${quick ? ', `--quick`' : ''}. Medians of runs by turns, each just after its bare route, with least and most in [latest.json](bench/results/latest.json). Each was signed in to for real, and seen to be, before it was measured.`,
    table(
      ['a request that needs an access token', 'to the bare route', 'CPU added, µs'],
      hotPath
        .filter((row) => row.ratio !== undefined)
        .map((row) => [row.name, row.ratio?.median.toFixed(2), row.addedCpuMicroseconds]),
    ),
    table(
      ['back-channel logouts, one process', 'per second', 'to verifying only'],
      signOut.map((row) => [row.name, row.logoutsPerSecond.median, row.ratio?.median.toFixed(2)]),
    ),
    storm === undefined
      ? undefined
      : table(
          [
            `${storm[0]?.requests} requests of ${storm[0]?.users} users with expired tokens, ${storm[0]?.processes} processes`,
            'refreshes',
            'requests failed',
            'users signed out',
            'p99 ms',
          ],
          storm.map((row) => [row.name, row.refreshes, row.errors, row.lost, row.p99Milliseconds]),
        ),
    space === undefined
      ? undefined
      : table(
          ['a live session', 'bytes', "to its tokens' own"],
          space.map((row) => [row.name, row.bytesPerSession, row.ratio?.toFixed(2)]),
        ),
    size === undefined
      ? undefined
      : table(
          ['installed', 'packages', 'MB', 'import, ms'],
          size.map((row) => [row.name, row.packages, row.megabytes, row.importMilliseconds.median]),
        ),
    `How each is set up: ${hotPath
      .filter(({ bare }) => bare !== undefined)
      .map(({ name, setUp }) => `${name}: ${setUp}`)
      .join('; ')}.`,
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
  ]
  return `\n${parts.filter((part) => part !== undefined).join('\n\n')}\n`
}

if (import.meta.main) {
  const readme = readFileSync(README, 'utf8')
  const [before, after] = around(readme)
  const section = benchSection(readResults())
  writeFileSync(README, `${before}${START}${section}${END}${after}`)
}

/** What comes before the section and after it. The first time it gets a place. */
function around(readme: string): readonly [before: string, after: string] {
  const section = sectionOf(readme)
  if (section === undefined) {
    const at = readme.indexOf(NEXT)
    if (at < 0) throw new Error(`The section goes before "${NEXT}", which the README lacks.`)
    return [`${readme.slice(0, at)}## Performance\n\n`, `\n\n${readme.slice(at)}`]
  }
  const end = readme.indexOf(END)
  return [readme.slice(0, readme.indexOf(START)), readme.slice(end + END.length)]
}

function sectionOf(readme: string): string | undefined {
  const [start, end] = [readme.indexOf(START), readme.indexOf(END)]
  return start < 0 || end < start ? undefined : readme.slice(start + START.length, end)
}
