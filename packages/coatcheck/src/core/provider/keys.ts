import { createSecretKey, type KeyObject } from 'node:crypto'
import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { createRateLimit } from '../rate-limit.ts'
import { readAnswer } from './answers.ts'
import type { ProviderFetch } from './http.ts'
import { createKeySet, type KeySet } from './key-set.ts'
import type { Provider } from './types.ts'

/** Where the keys come from that may verify the provider's signatures. */
export interface ProviderKeys {
  /** Makes sure that there are keys, before something is spent whose answer they must verify. */
  ready(): Promise<void>
  /**
   * The keys that may have signed a token with this `kid`, or with none. A `kid` never seen is
   * asked about at once (Core 10.1.1). Rejects with `provider_unreachable` where it cannot know.
   */
  find(kid: string | undefined, origin: TokenOrigin): Promise<readonly KeyObject[]>
  /** The same for a token without `kid` that no key verified: the keys may have been rotated. */
  findAgain(origin: TokenOrigin): Promise<readonly KeyObject[]>
}

/** Whether a token is part of an answer that we asked for, or anybody may have sent it. */
export type TokenOrigin = 'answer' | 'anybody'

interface Fetched {
  readonly set: KeySet
  /** Which fetch it came from. */
  readonly number: number
  readonly at: number
}

/** After this the keys are asked for again while they go on serving: a withdrawn key goes away. */
const FRESH_MILLISECONDS = 10 * 60 * 1000
/** Keys that could not be confirmed for longer are not trusted any more. */
const STALE_MILLISECONDS = 24 * 60 * 60 * 1000
const RETRY_MILLISECONDS = 60 * 1000

/**
 * The provider's published keys, from the discovered `jwks_uri` and nowhere else.
 *
 * A fixed cool-down would refuse the second of two rotations in a row, and a refused logout token
 * is normally never sent again. So unknown `kid`s draw on a bucket of five fetches a minute: a
 * flood of invented ones cannot make more requests, and known ones are not held up by it. Nor is
 * what we asked for ourselves: it has a bucket of its own.
 */
export function createProviderKeys(
  algorithm: string,
  discovery: Pick<Provider, 'metadata'>,
  providerFetch: ProviderFetch,
  environment: Environment,
): ProviderKeys {
  const { now } = environment
  const unknownKids = {
    answer: createRateLimit(5, 12_000, now),
    anybody: createRateLimit(5, 12_000, now),
  }
  const coldAttempts = createRateLimit(5, 1000, now)
  let known: Fetched | undefined
  let flight: Promise<Fetched> | undefined
  let begun = 0
  let refreshAt = 0
  let lastFailure: unknown

  const fetchKeys = (): Promise<Fetched> => {
    if (flight) return flight
    const number = ++begun
    flight = fetchKeySet(algorithm, discovery, providerFetch, environment)
      .then(
        (set) => {
          known = { set, number, at: now() }
          refreshAt = known.at + FRESH_MILLISECONDS
          return known
        },
        (error: unknown) => {
          refreshAt = now() + RETRY_MILLISECONDS
          lastFailure = unobtainable(error)
          throw lastFailure
        },
      )
      .finally(() => {
        flight = undefined
      })
    return flight
  }

  /** The keys at hand; without any, or with too old ones, those of a fetch. */
  const current = async (): Promise<Fetched> => {
    if (known && now() - known.at < STALE_MILLISECONDS) {
      // A failure here changes nothing until the keys are too old; then it is told.
      if (now() >= refreshAt) fetchKeys().catch(() => undefined)
      return known
    }
    if (!flight && !coldAttempts.take()) throw lastFailure
    unknownKids.anybody.take()
    return fetchKeys()
  }

  const fetchAgain = async (origin: TokenOrigin): Promise<Fetched> => {
    if (!flight && !unknownKids[origin].take()) {
      throw new AuthError('provider_unreachable', 'Unknown keys were asked for too often just now.')
    }
    return fetchKeys()
  }

  return {
    async ready() {
      await current()
    },
    async find(kid, origin) {
      const asked = begun
      let fetched = await current()
      for (;;) {
        const keys = fetched.set.fitting(kid)
        // A fetch that began before we were asked may have missed a rotation.
        if (keys.length > 0 || fetched.number > asked) return keys
        fetched = await fetchAgain(origin)
      }
    },
    async findAgain(origin) {
      return (await fetchAgain(origin)).set.fitting(undefined)
    },
  }
}

/** The client secret as the one key, for the HMAC algorithms (Core 10.1). */
export function createSecretKeys(clientSecret: string): ProviderKeys {
  const keys = [createSecretKey(clientSecret, 'utf8')]
  return {
    ready: () => Promise.resolve(),
    find: async () => keys,
    findAgain: async () => [],
  }
}

async function fetchKeySet(
  algorithm: string,
  discovery: Pick<Provider, 'metadata'>,
  providerFetch: ProviderFetch,
  environment: Environment,
): Promise<KeySet> {
  const { issuer, jwks_uri } = await discovery.metadata()
  const what = `key set of ${issuer}`
  const headers = { accept: 'application/json, application/jwk-set+json' }
  const response = await providerFetch(what, jwks_uri, { headers })
  return createKeySet(await readAnswer(what, response, environment.now()), algorithm)
}

/** Whatever the reason is, the caller could not tell and may try again. */
function unobtainable(cause: unknown): AuthError {
  const reason = cause instanceof Error ? cause.message : 'unknown'
  return new AuthError('provider_unreachable', `The provider's keys are missing: ${reason}`, {
    cause,
  })
}
