import type { Contestant } from './contestant.ts'
import { noFailures, type Outcome, progress } from './outcome.ts'
import { enter, type PairRow, type PairSettings, runPairs } from './pairs.ts'
import type { Field } from './surroundings.ts'

/** How the route "signed in, access token in hand" did. */
export interface HotPathRow extends PairRow {
  /** Of the Cookie header. */
  readonly cookieBytes: number
}

/** How it is measured. */
export interface HotPathSettings extends PairSettings {
  /** Signed in at each; requests are theirs by turns. */
  readonly users: number
}

/** Signs users in everywhere, and measures by turns. Who cannot be signed in to is in `failed`. */
export async function measureHotPath(
  contestants: readonly Contestant[],
  field: Field,
  settings: HotPathSettings,
): Promise<Outcome<HotPathRow>> {
  const failures = noFailures()
  progress(`hot path: ${contestants.length} servers start, ${settings.users} users sign in at each`)
  const all = await Promise.all(
    contestants.map((contestant) =>
      failures.attempt(contestant.name, 120, () => enter(contestant, field, settings.users)),
    ),
  )
  const entered = all.filter((one) => one !== undefined)
  const rows = await runPairs('hot path', entered, settings, failures)
  const bytes = new Map(
    entered.map(({ contestant, cookies }) => [
      contestant.name,
      Math.max(...cookies.map((cookie) => cookie.length)),
    ]),
  )
  return {
    rows: rows.map((row) => ({ ...row, cookieBytes: bytes.get(row.name) ?? 0 })),
    failed: failures.failed,
  }
}
