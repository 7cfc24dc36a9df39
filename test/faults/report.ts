import type { Excuses } from './judge.ts'
import type { Rounds } from './rounds.ts'
import type { Settled } from './settle.ts'
import type { World } from './world.ts'

/** What is printed about one store at the end. */
export function reportOf(world: World, rounds: Rounds, settled: Settled): string[] {
  const { history, attempts, faults, crew, served, failed, availability } = world
  const { sessions, signOuts, violations } = history
  const done = signOuts.filter(({ outcome }) => outcome === 'done').length
  const ways = Map.groupBy(signOuts, ({ how }) => how)
  const outages = [...availability.longest.values()]
  const longest = Math.max(0, ...outages.map(({ first }) => first))
  const longestOfOne = Math.max(0, ...outages.map(({ last }) => last))
  return [
    `rounds: ${rounds.count}`,
    `sign-ins: ${sessions.length} (and ${attempts.length - sessions.length} came to nothing)`,
    `sign-outs: ${signOuts.length}, answered ${done}, done later ${settled.finishedLater}`,
    ...[...ways].map(([way, { length }]) => `  ${way}: ${length}`),
    `requests served: ${served}, answered with an error: ${failed}`,
    'faults:',
    ...[...faults.count].map(([kind, times]) => `  ${kind}: ${times}`),
    `processes killed: ${crew.killed}; clocks off by up to 60 s either way: ${skewed(world)} of ${crew.started}`,
    'from the fault until the first request was served again / the last was refused:',
    ...[...availability.longest].map(
      ([kind, { first, last }]) => `  ${kind}: ${first} ms / ${last} ms`,
    ),
    `longest unavailability: ${longest} ms for everybody, ${longestOfOne} ms for the last one`,
    `sessions whose tokens were revoked: ${settled.revoked}`,
    ...told('live refresh tokens that nobody is to revoke', settled.unrevoked),
    ...told('ended although nobody signed out', rounds.excuses),
    `entries of the store that were looked through: ${settled.looked}, index entries that lead to nothing: ${settled.dangling}`,
    `violations: ${violations.length}`,
  ]
}

function skewed({ crew }: World): number {
  return [...crew.all.values()].filter(({ offset }) => offset !== 0).length
}

function told(what: string, excuses: Excuses): string[] {
  const sum = [...excuses.values()].reduce((total, count) => total + count, 0)
  return [`${what}: ${sum}`, ...[...excuses].map(([why, count]) => `  ${why}: ${count}`)]
}
