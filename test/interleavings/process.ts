import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { type Auth, type AuthEvent, createAuth, type Ended, type TokenStore } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import type { Quiet } from './quiet.ts'
import type { Sleepers } from './sleepers.ts'
import { steppedStore } from './stepped-store.ts'

/** One process of the application. */
export interface TestProcess {
  readonly name: string
  readonly auth: Auth
  /** Everything its `observe` heard. */
  readonly events: readonly AuthEvent[]
  /** The actors that removed something, whether or not they were told so. */
  readonly removers: ReadonlySet<string>
  readonly alive: boolean
  /** After so many more steps nothing it asked for is answered, and it asks for nothing more. */
  dieAfter(steps: number): void
  /** From now on the answer to its so-manieth claim that is given arrives so much later. */
  delayClaim(nth: number, milliseconds: number): void
  /** Runs as this actor, so that its steps can be told from those of others. */
  as<T>(actor: string, work: () => Promise<T>): Promise<T>
  /** A place where others may come first. */
  point(label: string): Promise<void>
}

/** What processes share. */
export interface Shared {
  readonly provider: TestProvider
  readonly store: TokenStore
  readonly sleepers: Sleepers
  readonly quiet: Quiet
  /** Waits until the schedule lets this go on; at once while nothing is explored. */
  readonly reach: (label: string) => Promise<void>
  /** Those under way. */
  readonly requests: Set<object>
  /** Whether an answer's arrival is a step of its own. */
  readonly answers: boolean
  /** What a place of the application was told; none where there is no place. */
  readonly told: Ended[] | undefined
  /** Holds workers back until the actors are done. */
  readonly workersAllowed: () => Promise<void>
}

export const ORIGIN = 'https://app.test'
const KEY = 'a key for tests of thirty-two bytes at least'

/** Starts a process. */
export function startProcess(name: string, shared: Shared): TestProcess {
  const { provider, sleepers, quiet } = shared
  const actor = new AsyncLocalStorage<string>()
  const events: AuthEvent[] = []
  const removers = new Set<string>()
  let alive = true
  let claimsToCome = 0
  let claimDelay = 0
  let stepsLeft = Number.POSITIVE_INFINITY

  async function point(label: string): Promise<void> {
    if (!alive || stepsLeft <= 0) return die()
    if (actor.getStore() === UNDISTURBED) return
    stepsLeft -= 1
    await shared.reach(`${actor.getStore() ?? 'somebody'}@${name}: ${label}`)
    if (!alive) return forever()
  }

  /** Whoever waits for it waits for ever. */
  function die(): Promise<never> {
    alive = false
    return forever()
  }

  function claimed(): void {
    claimsToCome -= 1
    // A request has limits of its own: it is not what is slow here.
    if (claimsToCome === 0 && shared.requests.size === 0) {
      sleepers.forwardTo(sleepers.now() + claimDelay)
    }
  }

  async function ask(input: string | URL, init?: RequestInit): Promise<Response> {
    const label = new URL(input).pathname
    const request = {}
    shared.requests.add(request)
    await point(`ask ${label}`)
    const response = await provider.fetch(input, init)
    if (shared.answers) await point(`${label} answers`)
    shared.requests.delete(request)
    return response
  }

  async function tell(ended: Ended): Promise<number> {
    await point('a place is told')
    shared.told?.push(ended)
    if (shared.answers) await point('the place answers')
    return ended.sessions.length
  }

  async function wait(milliseconds: number, signal?: AbortSignal): Promise<void> {
    if (!alive) return forever()
    await sleepers.sleep(milliseconds, signal)
    if (actor.getStore() === 'worker') await shared.workersAllowed()
    if (!alive) return forever()
  }

  const auth = actor.run('worker', () =>
    createAuth({
      origin: ORIGIN,
      provider: {
        issuer: provider.issuer,
        clientId: 'app',
        clientSecret: SECRET,
        idTokenSignedResponseAlg: 'HS256',
      },
      store: steppedStore(shared.store, point, {
        quiet,
        answers: shared.answers,
        removing: () => removers.add(actor.getStore() ?? ''),
        claimed,
      }),
      keys: [KEY],
      places: shared.told === undefined ? [] : [{ name: 'other-cache', end: tell }],
      scope: 'openid offline_access',
      observe: (event) => events.push(event),
      [environment]: { now: sleepers.now, random: predictable(name), fetch: ask, wait },
    }),
  )

  return {
    name,
    auth,
    events,
    removers,
    get alive() {
      return alive
    },
    dieAfter(steps) {
      stepsLeft = steps
    },
    delayClaim(nth, milliseconds) {
      claimsToCome = nth
      claimDelay = milliseconds
    },
    as: (as, work) => actor.run(as, work),
    point,
  }
}

/** An actor whose steps are no steps: nobody comes in between. */
export const UNDISTURBED = 'undisturbed'
export const SECRET = 'a client secret for tests'

function forever(): Promise<never> {
  return new Promise(() => {})
}

/** Looks random and is the same in every run. */
function predictable(name: string): (length: number) => Uint8Array {
  let count = 0
  return (length) => {
    count += 1
    return new Uint8Array(createHash('sha512').update(`${name} ${count}`).digest()).slice(0, length)
  }
}
