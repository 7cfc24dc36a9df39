import { AuthError, ProviderError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { refusalOf, sayable } from './answers.ts'
import type { Client } from './client.ts'
import type { Provider, RevocationAnswer } from './types.ts'

/**
 * Revokes tokens (RFC 7009). A token the provider never heard of is as good as revoked (section
 * 2.2); everything else that is not a confirmation is for the caller to try again.
 */
export function createRevocation(
  discovery: Pick<Provider, 'metadata'>,
  client: Client,
  environment: Environment,
): Pick<Provider, 'revoke'> {
  return {
    async revoke(token, hint) {
      try {
        const metadata = await discovery.metadata()
        if (metadata.revocation_endpoint === undefined) return { outcome: 'unsupported' }
        const response = await client.revoke(metadata, token, hint)
        if (response.status === 200 || response.status === 204) return { outcome: 'confirmed' }
        throw await refusalOf('revocation endpoint', response, environment.now())
      } catch (error) {
        return failure(error)
      }
    },
  }
}

function failure(error: unknown): RevocationAnswer {
  // What is not ours is a mistake in this program: it must not look like a provider's answer.
  if (!(error instanceof AuthError)) throw error
  const wire = error instanceof ProviderError ? error : undefined
  if (wire?.code === 'provider_refused' && wire.error === 'unsupported_token_type') {
    return { outcome: 'unsupported' }
  }
  return {
    outcome: 'failed',
    reason: (wire?.code === 'provider_refused' && sayable(wire.error)) || error.code,
    retryAt: wire?.retryAt,
  }
}
