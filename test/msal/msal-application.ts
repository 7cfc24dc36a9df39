import {
  type AccountInfo,
  type AuthenticationResult,
  type AuthorizationCodeRequest,
  ConfidentialClientApplication,
  type ICachePlugin,
  type INetworkModule,
  ProtocolMode,
} from '@azure/msal-node'
import type { AuthOptions } from '#coatcheck'
import type { TestBrowser } from '#coatcheck/testing/browser'
import { loopbackFetch } from '#coatcheck/testing/loopback'
import { type Application, startApplication } from '../support/application.ts'

/** An application that also calls APIs by MSAL Node. */
export interface MsalApplication extends Application {
  /** MSAL as an application makes it, with this plugin. */
  msal(plugin?: ICachePlugin): ConfidentialClientApplication
  /** The code that the user of this browser comes back with, and all that goes with it. */
  codeFor(browser: TestBrowser): Promise<AuthorizationCodeRequest>
  /** Signs the user of this browser in with MSAL too, as for further consent. */
  signInByMsal(
    browser: TestBrowser,
    msal: ConfidentialClientApplication,
  ): Promise<AuthenticationResult>
}

export const SCOPES = ['openid', 'profile', 'offline_access', 'orders.read', 'orders.write']
const VERIFIER = 'a code verifier that is long enough for the specification'
const CHALLENGE = 'rCDQOEj7StLcErhWaVtAZLZ1wqbcMEL3ffPPqiaV_G8'

/** Starts one, with a client that sends its secret as MSAL does. */
export async function startMsalApplication(
  options: Partial<AuthOptions> = {},
): Promise<MsalApplication> {
  const post = { clientAuthentication: 'client_secret_post' } as AuthOptions['provider']
  const application = await startApplication({ ...options, provider: post })
  const { provider, origin } = application
  const redirectUri = `${origin}/msal/callback`
  const client = [...provider.clients.values()][0]
  if (client?.client_secret === undefined) throw new Error('The provider has no client.')
  const { client_id, client_secret } = client
  provider.register({
    client_id,
    client_secret,
    origin,
    token_endpoint_auth_method: 'client_secret_post',
    redirect_uris: [`${origin}/auth/callback`, redirectUri],
  })
  // MSAL takes a token of five minutes for one that is over.
  provider.settings.accessTokenSeconds = 3600

  return {
    ...application,

    msal(cachePlugin) {
      return createMsal(provider.issuer, client_id, client_secret, cachePlugin)
    },

    codeFor,

    async signInByMsal(browser, msal) {
      return msal.acquireTokenByCode(await codeFor(browser))
    },
  }

  async function codeFor(browser: TestBrowser): Promise<AuthorizationCodeRequest> {
    const request = { scopes: SCOPES, redirectUri }
    const challenge = { codeChallenge: CHALLENGE, codeChallengeMethod: 'S256' }
    const msal = createMsal(provider.issuer, client_id, client_secret)
    const url = await msal.getAuthCodeUrl({ ...request, ...challenge })
    const page = await browser.get(url.replace('https://127', 'http://127'))
    const code = page.url.searchParams.get('code')
    if (code === null) throw new Error(`No code at ${page.url.pathname}: ${page.text}`)
    return { ...request, code, codeVerifier: VERIFIER }
  }
}

/** MSAL Node against the provider of tests. */
export function createMsal(
  issuer: string,
  clientId: string,
  clientSecret: string,
  cachePlugin?: ICachePlugin,
): ConfidentialClientApplication {
  const secure = issuer.replace('http:', 'https:')
  return new ConfidentialClientApplication({
    auth: {
      clientId,
      clientSecret,
      authority: secure,
      knownAuthorities: [new URL(issuer).host],
    },
    ...(cachePlugin && { cache: { cachePlugin } }),
    // MSAL wants https, and the provider on loopback has none.
    system: { protocolMode: ProtocolMode.OIDC, networkClient: plain },
  })
}

/** The one account that MSAL knows of. */
export async function theAccount(msal: ConfidentialClientApplication): Promise<AccountInfo> {
  const [account, ...others] = await msal.getTokenCache().getAllAccounts()
  if (account === undefined || others.length > 0) throw new Error('Not exactly one account.')
  return account
}

const plain: INetworkModule = {
  sendGetRequestAsync: (url, options) => ask('GET', url, options?.headers),
  sendPostRequestAsync: (url, options) => ask('POST', url, options?.headers, options?.body),
}

async function ask<T>(
  method: string,
  url: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<{ headers: Record<string, string>; body: T; status: number }> {
  const response = await loopbackFetch(url.replace('https:', 'http:'), {
    method,
    headers,
    ...(body !== undefined && { body }),
  })
  return {
    headers: Object.fromEntries(response.headers),
    body: JSON.parse((await response.text()).replaceAll('"http://127', '"https://127')) as T,
    status: response.status,
  }
}
