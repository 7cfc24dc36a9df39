import { AuthError, ProviderError } from '../../errors.ts'
import { sayable } from './answers.ts'
import type { ProviderMetadata } from './types.ts'

/**
 * The code of an authorization response, once it is clear whose answer it is (RFC 9207 section
 * 2.4; errors are held to the same rule). Throws `issuer_mismatch`, `sign_in_refused` with the
 * provider's error, or `request_invalid`.
 */
export function checkCallback(callback: URLSearchParams, metadata: ProviderMetadata): string {
  for (const name of ['code', 'error', 'iss', 'state', 'response']) {
    if (callback.getAll(name).length > 1) {
      throw new AuthError('request_invalid', `The callback repeats ${name}.`)
    }
  }
  const iss = callback.get('iss')
  if (iss === null && metadata.authorization_response_iss_parameter_supported) {
    throw new AuthError('issuer_mismatch', 'The callback does not name the issuer.')
  }
  if (iss !== null && iss !== metadata.issuer) {
    throw new AuthError('issuer_mismatch', 'The callback names another issuer.')
  }
  const error = callback.get('error')
  if (error !== null) {
    const error_description = callback.get('error_description')?.slice(0, 500)
    const said = sayable(error) ?? 'an error'
    throw new ProviderError('sign_in_refused', `The provider refused the sign-in: ${said}`, {
      error,
      error_description,
    })
  }
  const code = callback.get('code')
  if (!code) throw new AuthError('request_invalid', 'The callback has no code.')
  return code
}
