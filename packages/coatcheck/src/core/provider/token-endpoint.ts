import { decodeJwt } from 'jose'
import { AuthError } from '../../errors.ts'
import type { Environment } from '../environment.ts'
import { readAnswer } from './answers.ts'
import { checkCallback } from './callback.ts'
import type { ClaimRules } from './claims.ts'
import type { Client } from './client.ts'
import { checkIdTokenClaims, checkRefresh, checkSignIn, type VerifyIdToken } from './id-token.ts'
import type { ProviderKeys } from './keys.ts'
import { appendResources } from './resources.ts'
import { readTokenAnswer, type TokenAnswer } from './token-answer.ts'
import type { Claims, Provider, RefreshExpectation, VerifiedIdToken } from './types.ts'

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
  ): Promise<TokenAnswer> => {
    // Keys first: a code or a rotating refresh token must not be spent on an answer that
    // cannot be checked.
    await keys.ready()
    const response = await client.token(await discovery.metadata(), grantType, parameters)
    const answer = await readAnswer('token endpoint', response, environment.now())
    return readTokenAnswer(answer, environment.now())
  }

  /** The refresh token is spent by now: that a key cannot be had must not cost its successor. */
  const verifyRefreshed = async (
    jwt: string,
    accessToken: string,
    expect: RefreshExpectation,
  ): Promise<VerifiedIdToken | undefined> => {
    try {
      const idToken = await parts.verifyIdToken(jwt, accessToken)
      checkRefresh(idToken, expect)
      return idToken
    } catch (error) {
      if (!(error instanceof AuthError) || error.code !== 'provider_unreachable') throw error
      // TLS vouches for who sent it (Core 3.1.3.7 (6)), so the user is compared; but it is not kept.
      if (jwt.split('.').length === 3) checkUnverified(jwt, expect)
      return undefined
    }
  }

  const checkUnverified = (jwt: string, expect: RefreshExpectation): void => {
    const claims = readUnverified(jwt)
    checkIdTokenClaims(claims, rules)
    checkRefresh({ subject: String(claims['sub']), claims: claims as Claims }, expect)
  }

  return {
    async exchangeCode(callback, { redirectUri, verifier, resources, expect }) {
      const code = checkCallback(callback, await discovery.metadata())
      const parameters = new URLSearchParams({ code, redirect_uri: redirectUri })
      parameters.set('code_verifier', verifier)
      appendResources(parameters, resources)
      const { idToken: jwt, ...tokens } = await ask('authorization_code', parameters)
      if (!jwt) throw new AuthError('provider_invalid', 'The token endpoint sent no ID token.')
      const idToken = await parts.verifyIdToken(jwt, tokens.accessToken)
      checkSignIn(idToken, expect, rules)
      return { ...tokens, idToken }
    },

    async refresh(refreshToken, { resources, scope, claims, expect }) {
      const parameters = new URLSearchParams({ refresh_token: refreshToken })
      if (scope !== undefined) parameters.set('scope', scope)
      if (claims !== undefined) parameters.set('claims', claims)
      appendResources(parameters, resources)
      const { idToken: jwt, ...tokens } = await ask('refresh_token', parameters)
      const idToken = jwt && (await verifyRefreshed(jwt, tokens.accessToken, expect))
      return { ...tokens, idToken: idToken || undefined }
    },
  }
}

function readUnverified(jwt: string): Readonly<Record<string, unknown>> {
  try {
    return decodeJwt(jwt)
  } catch (cause) {
    throw new AuthError('id_token_invalid', 'ID token refused: it is not a signed token.', {
      cause,
    })
  }
}
