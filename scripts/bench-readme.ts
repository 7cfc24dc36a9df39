// npm run bench:readme: writes the performance section of the README from the last run of npm run bench.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LATEST, type Results, readResults } from '../bench/compare/results.ts'
import { absencesOf, tablesOf } from '../bench/compare/tables.ts'
import { machineLine } from '../bench/machine.ts'
import { root } from './run.mjs'

const START = '<!-- npm run bench:readme -->'
const END = '<!-- /npm run bench:readme -->'
const NEXT = '## What it does not do'
const README = join(root, 'README.md')
/** So many tables are there at once: the hot path, both calls alone, sign-outs, the refresh storm. */
const SHOWN = 4

/** What is wrong with the section: nothing where there is neither a kept run nor a section. */
export function benchSectionDiffers(): string {
  const section = sectionOf(readFileSync(README, 'utf8'))
  if (section === undefined) return existsSync(LATEST) ? 'Run npm run bench:readme.' : ''
  if (!existsSync(LATEST)) return `The README has a section of a run that is not kept at ${LATEST}.`
  return section === benchSection(readResults()) ? '' : 'Run npm run bench:readme.'
}

/** The section, from a run. */
function benchSection(results: Results): string {
  const { machine, minutes, versions, hotPath = [], signOut = [], storm = [] } = results
  const setUps = new Map(
    [...hotPath, ...signOut, ...storm].map(({ name, setUp }) => [name, setUp] as const),
  )
  const tables = tablesOf(results, ({ median }) => median)
  const parts = [
    `${machineLine(machine)}, ${minutes} minutes. Medians of runs by turns, each just after its bare one; least and most are in [latest.json](bench/results/latest.json). Each was signed in to for real, and seen to be, before it was measured. How: [bench](bench/compare/README.md).`,
    ...tables.slice(0, SHOWN),
    ...absencesOf(results),
    '<details><summary>The gateway, growth, bytes and size; set-ups and versions</summary>',
    ...tables.slice(SHOWN),
    `How each is set up: ${[...setUps].map((pair) => pair.join(': ')).join('; ')}.`,
    `Versions: ${Object.entries(versions)
      .map((pair) => pair.join(' '))
      .join(', ')}.`,
    '</details>',
  ]
  return `\n${parts.join('\n\n')}\n`
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
