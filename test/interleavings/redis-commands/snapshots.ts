import { PREFIX } from './command.ts'
import { type Contents, liveTextOf, type Slots } from './slots.ts'

/** What all slots hold at one time. The same is the same object. */
export interface Snapshot {
  readonly id: number
  /** The same where the ends of records are all that differs: only a sweep reads these. */
  readonly butForEnds: string
  readonly slots: readonly Contents[]
  readonly live: Live
  of(slot: number): Contents
  with(contents: Contents): Snapshot
}

/** What somebody is given who reads every record: values by ids. The same is the same object. */
export interface Live extends ReadonlyMap<string, string> {
  readonly id: number
}

/** Snapshots of these slots, from when they hold nothing. */
export function createSnapshots(slots: Slots): Snapshot {
  const all = new Map<string, Snapshot>()
  const lives = new Map<string, Live>()

  function intern(contents: ReadonlyMap<number, Contents>): Snapshot {
    const sorted = [...contents.values()].sort((one, other) => one.slot - other.slot)
    const text = sorted.map(({ id }) => id).join()
    const known = all.get(text)
    if (known !== undefined) return known
    const next = new Map<number, Snapshot>()
    const fresh: Snapshot = {
      id: all.size,
      butForEnds: sorted.flatMap((slot) => (holdsEnds(slot) ? [] : slot.id)).join(),
      slots: sorted,
      live: liveIn(sorted),
      of: (slot) => contents.get(slot) ?? slots.empty(slot),
      with(changed) {
        const after = next.get(changed.id) ?? intern(new Map(contents).set(changed.slot, changed))
        next.set(changed.id, after)
        return after
      },
    }
    all.set(text, fresh)
    return fresh
  }

  function liveIn(sorted: readonly Contents[]): Live {
    const live = sorted.flatMap(({ records }) =>
      [...records].flatMap(([id, held]): [string, string][] => {
        const value = liveTextOf(held)
        return value === undefined ? [] : [[id, value]]
      }),
    )
    const text = live.join(';')
    const known = lives.get(text) ?? Object.assign(new Map(live), { id: lives.size })
    lives.set(text, known)
    return known
  }

  return intern(new Map())
}

function holdsEnds({ dumps }: Contents): boolean {
  return [...dumps.keys()].every((key) => key.startsWith(`${PREFIX}e:`))
}
