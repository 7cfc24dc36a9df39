import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { readAnswer } from './answers.ts'
import { checkCallback } from './callback.ts'
import type { ClaimRules } from './claims.ts'
import type { Client } from './client.ts'
import { checkRefresh, checkSignIn, type VerifyIdToken } from './id-token.ts'
import type { ProviderKeys } from './keys.ts'
import { appendResources } from './resources.ts'
import { readTokenAnswer } from './token-answer.ts'
import type { Provider, TokenSet } from './types.ts'

/** What the token endpoint needs of the others. */
interface Parts {
  readonly discovery: Pick<Provider, 'metadata'>
  readonly client: Client
  readonly keys: ProviderKeys
  readonly verifyIdToken: VerifyIdToken
  readonly rules: ClaimRules
  readonly environment: Environment
}

/**
 * Spends codes (Core 3.1.3) and refresh tokens (Core 12). Nothing of an answer is handed out
 * before every check of its ID token passed.
 */
export function createTokenEndpoint(parts: Parts): Pick<Provider, 'exchangeCode' | 'refresh'> {
  const { discovery, client, keys, rules, environment } = parts

  const ask = async (
    grantType: 'authorization_code' | 'refresh_token',
    parameters: URLSearchParams,
  ): Promise<TokenSet> => {
    // Keys first: a code or a rotating refresh token must not be spent on an answer that
    // cannot be checked.
    await keys.ready()
    const response = await client.token(await discovery.metadata(), grantType, parameters)
    const answer = await readAnswer('token endpoint', response, environment.now())
    const { idToken, ...tokens } = readTokenAnswer(answer, environment.now())
    const verified =
      idToken === undefined ? undefined : await parts.verifyIdToken(idToken, tokens.accessToken)
    return { ...tokens, idToken: verified }
  }

  return {
    async exchangeCode(callback, { redirectUri, verifier, resources, expect }) {
      const code = checkCallback(callback, await discovery.metadata())
      const parameters = new URLSearchParams({ code, redirect_uri: redirectUri })
      parameters.set('code_verifier', verifier)
      appendResources(parameters, resources)
      const { idToken, ...tokens } = await ask('authorization_code', parameters)
      if (!idToken) throw new AuthError('provider_invalid', 'The token endpoint sent no ID token.')
      checkSignIn(idToken, expect, rules)
      return { ...tokens, idToken }
    },

    async refresh(refreshToken, { resources, scope, claims, expect }) {
      const parameters = new URLSearchParams({ refresh_token: refreshToken })
      if (scope !== undefined) parameters.set('scope', scope)
      if (claims !== undefined) parameters.set('claims', claims)
      appendResources(parameters, resources)
      const tokens = await ask('refresh_token', parameters)
      if (tokens.idToken) checkRefresh(tokens.idToken, expect)
      return tokens
    },
  }
}
