// npm run bench: see README.md.
import { parseArgs } from 'node:util'
import { machineLine, thisMachine } from '../machine.ts'
import { choose } from './choice.ts'
import { stormed } from './contestants.ts'
import { gatewayPackages } from './gateway.ts'
import { noFailures } from './outcome.ts'
import { everybody, type PartName, parts, type Stage, together } from './parts.ts'
import { provide } from './provide.ts'
import { LATEST, QUICK, type Results, writeResults } from './results.ts'
import { quick, type Settings, trial, whole } from './settings.ts'
import { openField } from './surroundings.ts'
import { absencesOf, tablesOf } from './tables.ts'
import { versionsOf } from './versions.ts'

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    /** The hot path and sign-outs, in under a minute. */
    quick: { type: 'boolean', default: false },
    /** Everything, and hardly anything of each: whether it runs. */
    trial: { type: 'boolean', default: false },
    /** Only these; may be said several times. */
    part: { type: 'string', multiple: true },
    /** Of the hot path, like the two after it. */
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    /** The file it is kept in, also where it is not whole. */
    keep: { type: 'string' },
    /** A folder for one CPU profile of each server. */
    profile: { type: 'string' },
  },
})
const settings = settingsOf(values.trial ? trial : values.quick ? quick : whole)
const wanted = partsOf(values.part ?? (values.quick ? ['hot-path', 'sign-out'] : undefined))
// Part of the table is no run to be kept.
const isWhole = words.length === 0 && values.part === undefined && !values.trial
const file = values.keep ?? (isWhole ? (values.quick ? QUICK : LATEST) : undefined)

const [machine, began] = [thisMachine(), Date.now()]
console.log(machineLine(machine))
const compiled = wanted.some((part) => (parts[part].needs as readonly string[]).includes('build'))
const choice = choose(provide(compiled), words)
const contestants = [...everybody, ...stormed]
const { attempt, failed } = noFailures()
const leftOut = new Map<string, string>()
for (const { name, needs } of contestants) {
  const missing = choice.missingFor(needs)
  if (missing !== undefined) leftOut.set(name, missing)
}
let results: Results = {
  machine,
  quick: values.quick,
  minutes: 0,
  versions: versionsOf([...contestants, { packages: gatewayPackages }]),
  settings: Object.fromEntries(wanted.map((part) => [part, settings[part]])),
  leftOut: {},
  failed: {},
}

for (const some of together) {
  const mine = some.filter((part) => wanted.includes(part))
  if (mine.length === 0) continue
  await attempt(mine.join(' and '), 3_600, async () => {
    const field = await openField(values.profile)
    try {
      for (const part of mine) await measure(part, { field, choice, settings })
    } finally {
      await field.close()
    }
  })
}
update({})
console.log(`\n${[...tablesOf(results), ...absencesOf(results)].join('\n\n')}`)
console.log(`\n${results.minutes} minutes${file === undefined ? '' : `; kept: ${file}`}`)
process.exitCode = Object.keys(failed).length === 0 ? 0 : 1
// What hangs somewhere is not to keep us, and what is printed is to arrive.
process.stdout.write('', () => process.exit())

async function measure(name: PartName, stage: Stage): Promise<void> {
  const { needs, rows: at, measure: measured } = parts[name]
  const missing = choice.missingFor(needs)
  if (missing !== undefined) return void leftOut.set(name, missing)
  const outcome = await attempt(name, 3_600, () => measured(stage))
  for (const [who, why] of Object.entries(outcome?.failed ?? {})) failed[`${name}, ${who}`] = why
  update({ [at]: outcome?.rows ?? [] })
}

/** What there is so far is kept, whatever comes next. */
function update(more: Partial<Results>): void {
  const minutes = Number(((Date.now() - began) / 60_000).toFixed(1))
  results = { ...results, ...more, minutes, leftOut: Object.fromEntries(leftOut), failed }
  if (file !== undefined) writeResults(file, results)
}

function settingsOf(some: Settings): Settings {
  const said = Object.entries({
    rounds: values.rounds,
    seconds: values.seconds,
    connections: values.connections,
  }).flatMap(([name, value]) => (value === undefined ? [] : [[name, Number(value)]]))
  return { ...some, 'hot-path': { ...some['hot-path'], ...Object.fromEntries(said) } }
}

function partsOf(names: readonly string[] | undefined): PartName[] {
  const all = Object.keys(parts) as PartName[]
  if (names?.some((name) => !all.includes(name as PartName))) {
    throw new TypeError(`--part is one of ${all.join(', ')}.`)
  }
  return all.filter((name) => names === undefined || names.includes(name))
}
