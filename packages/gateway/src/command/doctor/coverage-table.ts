import type { Coverage, CoverageLine } from 'coatcheck'
import { tableText } from '../terminal.ts'

/**
 * Who can end a session, how this deployment hears of it, and how soon. A back channel that is
 * known not to arrive is no channel.
 */
export function coverageTable(
  lines: Coverage['lines'],
  {
    lifetimeSeconds,
    hears,
  }: { readonly lifetimeSeconds: number; readonly hears: boolean | undefined },
): string {
  const head = ['WHO ENDS IT', 'HEARD BY', 'WITHIN', 'NEVER BY', 'THE GAP IS FILLED BY']
  const rows = lines.map((line) =>
    rowOf(hears === false ? withoutBackChannel(line) : line, lifetimeSeconds),
  )
  return tableText([head, ...rows])
}

function withoutBackChannel(line: CoverageLine): CoverageLine {
  if (!line.heardBy.includes('back_channel')) return line
  const heardBy = line.heardBy.filter((one) => one !== 'back_channel')
  const filledBy = heardBy.includes('revalidation') ? 'revalidation' : 'refresh'
  return {
    ...line,
    heardBy: heardBy.length > 0 ? heardBy : ['refresh'],
    withinSeconds: line.withinSeconds === 0 ? undefined : line.withinSeconds,
    neverBy: ['back_channel', ...line.neverBy],
    filledBy,
  }
}

function rowOf(line: CoverageLine, lifetimeSeconds: number): string[] {
  const { who, heardBy, withinSeconds, neverBy, filledBy } = line
  return [
    WHO[who],
    heardBy.map((one) => CHANNEL[one]).join(', '),
    withinSeconds === 0
      ? 'at once'
      : withinSeconds === undefined
        ? `${durationText(lifetimeSeconds)} (the session’s end)`
        : durationText(withinSeconds),
    neverBy.map((one) => CHANNEL[one]).join(', ') || '-',
    filledBy === undefined ? '-' : CHANNEL[filledBy],
  ]
}

const WHO: Readonly<Record<CoverageLine['who'], string>> = {
  user_here: 'the user, here',
  user_at_another_application: 'the user, at another application',
  user_at_the_provider: 'the user, at the provider',
  administrator_here: 'an administrator, here',
  administrator_at_the_provider: 'an administrator, at the provider',
  account_disabled: 'whoever disables the account',
}

const CHANNEL: Readonly<Record<CoverageLine['heardBy'][number], string>> = {
  at_once: 'ourselves',
  back_channel: 'back-channel logout',
  front_channel: 'front-channel logout',
  refresh: 'the next refresh',
  revalidation: 'revalidation',
}

function durationText(seconds: number): string {
  if (seconds >= 3600 && seconds % 3600 === 0) return `${seconds / 3600} h`
  if (seconds >= 60 && seconds % 60 === 0) return `${seconds / 60} min`
  return `${seconds} s`
}
