import type { AuthEvent } from '#coatcheck'
import { startProvider } from '#coatcheck/testing/provider'
import { generateKey } from '#coatcheck/testing/provider/keys'
import type { Place } from '../processes/place.ts'
import { createAvailability } from './availability.ts'
import { startCrew } from './crew.ts'
import { createHistory } from './history.ts'
import type { Random } from './random.ts'
import type { Seat, World } from './world.ts'

/** How a world begins. */
export interface Beginning {
  readonly random: Random
  /** Where the n-th process keeps its records. */
  readonly place: (nth: number) => Place
  readonly processes?: number
  readonly users?: number
}

/**
 * A provider, processes with clocks that differ by up to two minutes, and users with two browsers
 * each; some stay as long as nothing ends their session.
 */
export async function startWorld(
  beginning: Beginning,
): Promise<World & { close(): Promise<void> }> {
  const { random, place, processes = 8, users = 15 } = beginning
  const provider = await startProvider({
    key: await generateKey('RSA', 'k1'),
    clients: [{ client_id: 'app', client_secret: 'secret' }],
    // The driver itself is the one who tells the application.
    settings: { backChannel: false },
  })
  const history = createHistory()
  const crew = await startCrew({
    size: processes,
    issuer: provider.issuer,
    random,
    place,
    offset: (nth) => CLOCKS[nth % CLOCKS.length] ?? 0,
    heard: (name, event) => {
      for (const handle of sessionsIn(event)) history.happened(handle, `${tell(event)} in ${name}`)
    },
  }).catch(async (error: unknown) => {
    await provider.close()
    throw error
  })
  const seat = (user: string, stays: boolean): Seat => {
    return { user, stays, browser: undefined, session: undefined, busy: false }
  }
  const seats = [
    ...Array.from({ length: 2 * users }, (_, at) => seat(`U${at % users}`, false)),
    ...Array.from({ length: users / 3 }, (_, at) => seat(`S${at}`, true)),
  ]
  return {
    provider,
    crew,
    random,
    seats,
    history,
    availability: createAvailability(),
    attempts: [],
    served: 0,
    failed: 0,
    open: new Set(),
    refreshing: new Map(),
    faults: { count: new Map(), unanswered: new Set(), primariesLost: [] },
    async close() {
      await crew.close()
      await provider.close()
    },
  }
}

function sessionsIn(event: AuthEvent): readonly string[] {
  if (event.type === 'signed_out') return event.receipt.sessions
  return 'session' in event ? [event.session] : []
}

function tell(event: AuthEvent): string {
  if (event.type === 'signed_out') return `signed_out (${event.receipt.cause})`
  return event.type === 'refresh_failed' ? `refresh_failed (${event.code})` : event.type
}

/** How far the clocks are off, in milliseconds: the most that a provider's tokens allow. */
const CLOCKS = [0, 60_000, -60_000]
