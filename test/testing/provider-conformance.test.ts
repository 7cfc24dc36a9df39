import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as oauth from 'oauth4webapi'
import { startProvider } from '#coatcheck/testing/index'
import { redirectUri } from './plain-client.ts'

// A double that is only ever tried by our own code may share its mistakes. This is somebody else's.
describe('the test provider under a client that is not ours', () => {
  for (const transport of ['socket', 'in process'] as const) {
    it(`signs in with PAR, refreshes, revokes and shows UserInfo (${transport})`, async (t) => {
      const provider = await startProvider()
      t.after(() => provider.close())
      const fetchFrom: typeof fetch = transport === 'socket' ? fetch : provider.fetch
      const options = {
        [oauth.allowInsecureRequests]: true,
        [oauth.customFetch]: (url: string, init: object) => fetchFrom(url, init),
      }
      const issuer = new URL(provider.issuer)
      const as = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, options),
      )
      const client: oauth.Client = { client_id: 'app' }
      const secret = oauth.ClientSecretBasic(provider.clients.get('app')?.client_secret ?? '')
      const verifier = oauth.generateRandomCodeVerifier()
      const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
      const pushed = await oauth.processPushedAuthorizationResponse(
        as,
        client,
        await oauth.pushedAuthorizationRequest(
          as,
          client,
          secret,
          new URLSearchParams({
            response_type: 'code',
            redirect_uri: redirectUri,
            scope: 'openid email',
            code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
            code_challenge_method: 'S256',
            max_age: '60',
            state,
            nonce,
          }),
          options,
        ),
      )
      const url = new URL(as.authorization_endpoint ?? '')
      url.search = new URLSearchParams({
        client_id: 'app',
        request_uri: pushed.request_uri,
      }).toString()
      const sent = await fetchFrom(url, { redirect: 'manual' })
      const back = new URL(sent.headers.get('location') ?? '')
      const parameters = oauth.validateAuthResponse(as, client, back, state)
      const tokens = await oauth.processAuthorizationCodeResponse(
        as,
        client,
        await oauth.authorizationCodeGrantRequest(
          as,
          client,
          secret,
          parameters,
          redirectUri,
          verifier,
          options,
        ),
        { expectedNonce: nonce, maxAge: 60, requireIdToken: true },
      )
      const next = await oauth.processRefreshTokenResponse(
        as,
        client,
        await oauth.refreshTokenGrantRequest(
          as,
          client,
          secret,
          tokens.refresh_token ?? '',
          options,
        ),
      )
      const user = await oauth.processUserInfoResponse(
        as,
        client,
        oauth.getValidatedIdTokenClaims(tokens)?.sub ?? '',
        await oauth.userInfoRequest(as, client, next.access_token, options),
      )
      assert.equal(user.sub, 'U1')
      await oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, secret, next.refresh_token ?? '', options),
      )
      assert.deepEqual(provider.liveRefreshTokens(), [])
    })
  }
})
