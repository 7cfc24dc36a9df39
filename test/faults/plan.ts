import type { Arena } from './arena.ts'
import { heldForWhoStays, providerFaults } from './provider-faults.ts'
import type { Fault } from './rounds.ts'
import type { World } from './world.ts'

/**
 * Which fault comes in which round: first each of them once, then some together with a `kill -9`,
 * then whatever the dice say. Kills come early: the claims of the dead last for up to two minutes.
 */
export function planFor(world: World, arena: Arena): (round: number) => Fault {
  const kill = killing(world)
  const [ofServer = kill, ...ofNetwork] = arena.faults(world)
  const [slow = kill, ...gone] = ofNetwork
  const all = [
    killingInRefresh(world),
    kill,
    ofServer,
    together(ofServer, kill),
    ...gone.map((fault) => together(fault, kill)),
    slow,
    ...providerFaults(world),
  ]
  return (round) => all[round] ?? world.random.pick(all) ?? kill
}

/** So many rounds have each fault once. */
export const ROUNDS = 11

function killing({ crew }: World): Fault {
  return {
    kind: 'kill -9 of two processes',
    async befall() {
      const replaced = Promise.all([crew.kill(), crew.kill()])
      // Whether they start is asked when the round ends.
      replaced.catch(() => undefined)
      return async () => void (await replaced)
    },
  }
}

/** The provider has rotated the refresh token, and nobody is left to keep the new one. */
function killingInRefresh(world: World): Fault {
  const { crew, provider } = world
  return {
    kind: 'kill -9 of a process that waits for the answer to a refresh',
    async befall() {
      const hold = provider.hold('token', { at: 'answer', grant: 'refresh_token' })
      const request = await heldForWhoStays(world, hold)
      const replaced = crew.kill(request.headers.get('x-process') ?? '')
      replaced.catch(() => undefined)
      hold.release()
      return () => replaced
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
