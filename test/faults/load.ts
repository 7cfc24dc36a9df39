import { setTimeout as pause } from 'node:timers/promises'
import type { SignOutWay } from './history.ts'
import { type Look, look } from './looks.ts'
import { signIn } from './sign-ins.ts'
import { signOut } from './sign-outs.ts'
import type { Seat, World } from './world.ts'

/** A steady stream of random acts, so many at a time. */
export interface Load {
  /** Resolves when so many more acts have ended. */
  more(acts: number): Promise<void>
  /** Begins no more, and resolves when all have ended that do not wait for a claim of the dead. */
  stop(): Promise<void>
}

/** So many at a time. */
const LANES = 14
/** What takes longer goes on without its lane: it waits for a claim of somebody who died. */
const PATIENCE = 4_000
/** Who was refused does not ask again at once. */
const BREATH = 30

/** Begins. */
export function startLoad(world: World): Load {
  const waiting = new Set<{ readonly at: number; readonly resolve: () => void }>()
  let ended = 0
  let running = true

  const lane = async (): Promise<void> => {
    while (running) {
      const went = await withPatience(world, act(world))
      ended += 1
      for (const one of waiting) {
        if (ended < one.at) continue
        waiting.delete(one)
        one.resolve()
      }
      if (!went) await pause(BREATH)
    }
  }
  const lanes = Array.from({ length: LANES }, lane)
  return {
    more: (acts) => new Promise((resolve) => waiting.add({ at: ended + acts, resolve })),
    async stop() {
      running = false
      await Promise.all(lanes)
    },
  }
}

/** What does not end in time stays in the list of what is open. */
export async function withPatience(world: World, work: Promise<boolean>): Promise<boolean> {
  const open = work.finally(() => world.open.delete(open))
  world.open.add(open)
  const patience = new AbortController()
  const slow = pause(PATIENCE, true, { signal: patience.signal }).catch(() => true)
  const went = await Promise.race([open, slow])
  patience.abort()
  return went
}

/** Does one thing, whatever the dice say. `false`: it could not be done now. */
async function act(world: World): Promise<boolean> {
  const { random, history, seats } = world
  if (random.next() < 0.15) {
    // A thief keeps trying what was thrown away.
    const over = history.sessions.slice(-150).filter((session) => session.over !== undefined)
    const session = random.pick(over)
    if (session !== undefined) return look(world, session, random.weighted(LOOKS))
  }
  const seat = random.pick(seats)
  if (seat === undefined) return true
  const { session } = seat
  if (session === undefined || session.over !== undefined) {
    return seat.busy ? false : alone(seat, () => signIn(world, seat))
  }
  const next = random.weighted(ACTS)
  if (next === 'look' || seat.stays) return look(world, session, random.weighted(LOOKS))
  return seat.busy ? false : alone(seat, () => signOut(world, seat, random.weighted(WAYS)))
}

const ACTS = { look: 82, leave: 18 }
const LOOKS: Record<Look, number> = { session: 50, accessToken: 20, refresh: 30 }
const WAYS: Record<SignOutWay, number> = {
  'back-channel by sid': 4,
  'back-channel by subject': 1,
  'front-channel': 2,
  'by the user': 4,
  'administrator by session': 1,
  'administrator by sid': 1,
  'administrator by subject': 1,
}

async function alone(seat: Seat, work: () => Promise<boolean>): Promise<boolean> {
  seat.busy = true
  try {
    return await work()
  } finally {
    seat.busy = false
  }
}
