import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { readAnswer } from './answers.ts'
import type { ProviderFetch } from './http.ts'
import type { Claims, Provider } from './types.ts'

/**
 * Asks UserInfo (Core 5.3) with the token in the Authorization header. Plain JSON only. An answer
 * about anybody else than the user of the ID token is not used (5.3.2).
 */
export function createUserInfo(
  discovery: Pick<Provider, 'metadata'>,
  providerFetch: ProviderFetch,
  environment: Environment,
): Pick<Provider, 'userInfo'> {
  return {
    async userInfo(accessToken, subject) {
      const { userinfo_endpoint } = await discovery.metadata()
      if (userinfo_endpoint === undefined) {
        throw new AuthError('provider_invalid', 'The provider has no UserInfo endpoint.')
      }
      const headers = { accept: 'application/json', authorization: `Bearer ${accessToken}` }
      const response = await providerFetch('UserInfo endpoint', userinfo_endpoint, { headers })
      const claims = await readAnswer('UserInfo endpoint', response, environment.now())
      if (claims['sub'] !== subject) {
        throw new AuthError(
          'userinfo_invalid',
          'The sub of UserInfo is not the user of the ID token.',
        )
      }
      return claims as Claims
    },
  }
}
