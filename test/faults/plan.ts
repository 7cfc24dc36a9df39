import type { Arena } from './arena.ts'
import { providerFaults } from './provider-faults.ts'
import type { Fault } from './rounds.ts'
import type { World } from './world.ts'

/**
 * Which fault comes in which round: first each of them once, then some together with a `kill -9`,
 * then whatever the dice say. Kills come early: the claims of the dead last for up to two minutes.
 */
export function planFor(world: World, arena: Arena): (round: number) => Fault {
  const kill = killing(world)
  const ofStore = arena.faults(world)
  const all = [
    kill,
    ...ofStore.slice(0, 1),
    ...ofStore.map((fault) => together(fault, kill)),
    ...ofStore.slice(1),
    ...providerFaults(world),
  ]
  return (round) => all[round] ?? world.random.pick(all) ?? kill
}

/** How many rounds have each fault once. */
export const ROUNDS = 13

function killing({ crew }: World): Fault {
  return {
    kind: 'kill -9 of two processes',
    async befall() {
      const replaced = Promise.all([crew.killOne(), crew.killOne()])
      // Whether they start is asked when the round ends.
      replaced.catch(() => undefined)
      return async () => void (await replaced)
    },
  }
}

function together(one: Fault, other: Fault): Fault {
  return {
    kind: `${one.kind}; ${other.kind}`,
    async befall() {
      const mends = await Promise.all([one.befall(), other.befall()])
      return async () => {
        for (const mend of mends) await mend()
      }
    },
  }
}
