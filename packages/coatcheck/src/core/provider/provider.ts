import type { Environment } from '../environment.ts'
import { createAuthorization } from './authorization.ts'
import { checkProviderOptions, SECRET_ALGORITHMS } from './check-options.ts'
import { claimRules } from './claims.ts'
import { createClient } from './client.ts'
import { createDiscovery } from './discovery.ts'
import { createProviderFetch } from './http.ts'
import { createIdTokenVerifier } from './id-token.ts'
import { createSignatureVerifier } from './jws.ts'
import { createProviderKeys, createSecretKeys } from './keys.ts'
import { createLogoutTokenVerifier } from './logout-token.ts'
import type { ProviderOptions } from './options.ts'
import { createRevocation } from './revocation.ts'
import { createTokenEndpoint } from './token-endpoint.ts'
import type { Provider } from './types.ts'
import { createUserInfo } from './user-info.ts'

/**
 * The OpenID Provider as the core sees it. Asks nothing before it is used; throws a `TypeError`
 * where the options cannot work.
 */
export function createProvider(options: ProviderOptions, environment: Environment): Provider {
  checkProviderOptions(options)
  const { issuer, clientId, clientSecret, idTokenSignedResponseAlg: algorithm = 'RS256' } = options
  const providerFetch = createProviderFetch(environment)
  const discovery = createDiscovery(issuer, providerFetch, environment)
  const keys =
    clientSecret !== undefined && SECRET_ALGORITHMS.includes(algorithm)
      ? createSecretKeys(clientSecret)
      : createProviderKeys(algorithm, discovery, providerFetch, environment)
  const rules = claimRules(options, environment)
  const verifySignature = createSignatureVerifier(algorithm, keys, options.idTokenEncryption)
  const verifyIdToken = createIdTokenVerifier(algorithm, verifySignature, rules)
  const client = createClient(options, providerFetch, environment)
  const alwaysPush = options.pushedAuthorizationRequests === true

  return {
    issuer,
    clientId,
    ...discovery,
    ...createAuthorization(clientId, alwaysPush, discovery, client, environment),
    ...createTokenEndpoint({ discovery, client, keys, verifyIdToken, rules, environment }),
    ...createUserInfo(discovery, providerFetch, environment),
    ...createRevocation(discovery, client, environment),
    ...createLogoutTokenVerifier(verifySignature, rules, options),
  }
}
