import { type Arrivals, createArrivals } from './arrivals.ts'
import { type Answer, completeAnswer, type ProviderRequest } from './exchange.ts'
import { createScripts, type ScriptOptions } from './scripts.ts'

/** Which requests are held, and when. Without `times` all that come until it is released. */
export interface HoldOptions extends ScriptOptions {
  /**
   * `request` (the default): before the provider did anything about it. `answer`: after it did
   * all of it, tokens issued and spent, with only the answer still to come.
   */
  readonly at?: 'request' | 'answer'
}

/** What becomes of held requests. */
interface Release {
  /** Goes on as if nothing had been. */
  release(): void
  /** Answers this instead. */
  fail(status: number, body?: Record<string, unknown> | string): void
  /** Closes the connection without an answer. */
  drop(): void
}

/** One request that waits. */
export interface HeldRequest extends Release {
  readonly request: ProviderRequest
}

/** A hold on an endpoint. Its own `release`, `fail` and `drop` end it and free all it holds. */
export interface Hold extends Release {
  /** All that were held, freed ones included. */
  readonly held: readonly HeldRequest[]
  /** Resolves when the n-th request (counted from 1) is held. */
  received(position?: number): Promise<HeldRequest>
}

/** The holds of a provider. */
export interface Holds {
  add(endpoint: string, options?: HoldOptions): Hold
  /** Waits where a hold says so; resolves with the answer to give instead, or nothing. */
  wait(request: ProviderRequest, at: 'request' | 'answer'): Promise<Answer | undefined>
  /** Ends all holds by dropping what they hold. */
  dropAll(): void
}

/** No hold anywhere. */
export function createHolds(): Holds {
  const scripts = createScripts<(request: ProviderRequest) => Promise<Answer | undefined>>()
  const open = new Set<Hold>()

  return {
    add: (endpoint, { at = 'request', times = Infinity, grant } = {}) => {
      const arrivals: Arrivals<HeldRequest> = createArrivals()
      const remove = scripts.add(
        `${at}:${endpoint}`,
        (request) => new Promise((resolve) => arrivals.add(heldRequest(request, resolve))),
        { times, ...(grant === undefined ? {} : { grant }) },
      )
      const end = (free: (held: HeldRequest) => void): void => {
        remove()
        open.delete(hold)
        arrivals.all.forEach(free)
      }
      const hold: Hold = {
        held: arrivals.all,
        received: (position = 1) => arrivals.nth(position, `held request to ${endpoint}`),
        release: () => end((held) => held.release()),
        fail: (status, body) => end((held) => held.fail(status, body)),
        drop: () => end((held) => held.drop()),
      }
      open.add(hold)
      return hold
    },
    wait: async (request, at) => {
      const wait = scripts.take(`${at}:${request.endpoint}`, request.grant).at(-1)
      return wait?.(request)
    },
    dropAll: () => {
      for (const hold of [...open]) hold.drop()
    },
  }
}

function heldRequest(
  request: ProviderRequest,
  resolve: (answer: Answer | undefined) => void,
): HeldRequest {
  return {
    request,
    release: () => resolve(undefined),
    fail: (status, body) =>
      resolve(completeAnswer(typeof body === 'object' ? { status, json: body } : { status, body })),
    drop: () => resolve(completeAnswer({ wire: 'drop' })),
  }
}
