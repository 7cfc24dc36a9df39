import { toCommand } from './command.ts'
import { gatedStore, isGreeting, type Send } from './gate.ts'
import type { Operation } from './operations.ts'
import type { Slots } from './slots.ts'
import type { Snapshot } from './snapshots.ts'

/** Does something while nobody else does anything; resolves with what is there at the end. */
export type WorkAlone = (
  from: Snapshot,
  operation: Pick<Operation, 'name' | 'work' | 'at'>,
) => Promise<Snapshot>

/** Commands are run on these slots in the order in which they are sent. */
export function alone(slots: Slots): WorkAlone {
  return async (from, { name, work, at }) => {
    let snapshot = from
    let last: Promise<unknown> = Promise.resolve()
    const send: Send = (args) => {
      if (isGreeting(args)) return Promise.resolve(slots.greeting(args))
      const command = toCommand(args)
      const answer = last.then(async () => {
        const before = snapshot.of(command.slot)
        const step = slots.known(before, command) ?? (await slots.run(before, command))
        snapshot = snapshot.with(step.after)
        return step.answer
      })
      last = answer
      return answer
    }
    await slots.repeatable(name, () => work(gatedStore(send, at)))
    return snapshot
  }
}
