import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { createRateLimit } from '../rate-limit.ts'
import { readAnswer } from './answers.ts'
import type { ProviderFetch } from './http.ts'
import { checkMetadata } from './metadata.ts'
import type { Provider, ProviderMetadata } from './types.ts'

/** How long a document is used before it is asked for again. */
const FRESH_MILLISECONDS = 60 * 60 * 1000
/** The wait after a first failed refresh; it doubles up to `FRESH_MILLISECONDS`. */
const BACK_OFF_MILLISECONDS = 60 * 1000

/**
 * The provider's metadata (OpenID Connect Discovery 1.0 section 4): asked for when first needed,
 * refreshed behind the callers' backs after an hour, and used on when a refresh fails. A first
 * failure is not remembered, but asked about again at most about once a second.
 */
export function createDiscovery(
  issuer: string,
  providerFetch: ProviderFetch,
  environment: Environment,
): Pick<Provider, 'metadata' | 'knownMetadata'> {
  const attempts = createRateLimit(5, 1000, environment.now)
  let known: ProviderMetadata | undefined
  let refreshAt = 0
  let backOff = BACK_OFF_MILLISECONDS
  let flight: Promise<ProviderMetadata> | undefined
  let lastFailure: unknown

  const ask = (): Promise<ProviderMetadata> => {
    flight ??= fetchMetadata(issuer, providerFetch, environment)
      .then(
        (metadata) => {
          known = metadata
          refreshAt = environment.now() + FRESH_MILLISECONDS
          backOff = BACK_OFF_MILLISECONDS
          return metadata
        },
        (error: unknown) => {
          lastFailure = error
          refreshAt = environment.now() + backOff
          backOff = Math.min(backOff * 2, FRESH_MILLISECONDS)
          throw error
        },
      )
      .finally(() => {
        flight = undefined
      })
    return flight
  }

  return {
    async metadata() {
      if (known) {
        // What is known goes on serving; the failure shows when the provider is really used.
        if (environment.now() >= refreshAt) ask().catch(() => undefined)
        return known
      }
      if (!flight && !attempts.take()) throw lastFailure
      return ask()
    },
    knownMetadata: () => known,
  }
}

/** Section 4: the issuer without its terminating slash, and the well-known path. */
function configurationUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
}

async function fetchMetadata(
  issuer: string,
  providerFetch: ProviderFetch,
  environment: Environment,
): Promise<ProviderMetadata> {
  const what = `metadata document of ${issuer}`
  const headers = { accept: 'application/json' }
  const response = await providerFetch(what, configurationUrl(issuer), { headers })
  const document = await readAnswer(what, response, environment.now())
  try {
    return checkMetadata(document, issuer)
  } catch (error) {
    const rule = error instanceof Error ? error.message : 'unknown'
    throw new AuthError('provider_invalid', `The ${what} cannot be used: ${rule}`)
  }
}
