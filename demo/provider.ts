import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { type OidcContext, Provider } from 'oidc-provider'
import { apiScope } from './api.ts'
import { addFrontChannel } from './front-channel.ts'
import { type ProviderLog, providerLog } from './provider-log.ts'
import { people, signInPages } from './provider-pages.ts'
import { type ProviderQuestions, providerQuestions } from './provider-questions.ts'
import { confirmSignOut, signedOut } from './provider-sign-out.ts'
import { providerStore } from './provider-store.ts'

/** An application as the provider registers it, under the wire names of the metadata. */
export interface Registration {
  readonly client_id: string
  readonly client_secret: string
  readonly [metadata: string]: unknown
}

/** The demo's provider, and what a script may do to it. */
export interface DemoProvider {
  readonly issuer: string
  readonly handle: RequestListener
  /** How long access tokens live that are issued from now on. */
  setAccessTokenSeconds(seconds: number): void
  /** From now on the answers to refreshes are minted, and wait until they are released. */
  holdRefreshes(): HeldRefreshes
  readonly log: ProviderLog
  readonly questions: ProviderQuestions
}

/** Refreshes that the provider has done and not yet answered. */
export interface HeldRefreshes {
  /** Resolves when the first one waits. */
  readonly first: Promise<void>
  release(): void
}

/** A real OpenID Provider (the npm package oidc-provider) with two users and no passwords. */
export function demoProvider(
  issuer: string,
  applications: readonly Registration[],
  resource: string,
): DemoProvider {
  let accessTokenSeconds = 120
  let gate: { readonly opened: Promise<void>; arrived(): void } | undefined

  const provider = new Provider(issuer, {
    clients: applications,
    adapter: providerStore(),
    jwks: { keys: [signingKey()] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    findAccount: (_: OidcContext, id: string) => {
      const person = people.find((one) => one.id === id)
      return person && { accountId: id, claims: () => ({ sub: id, name: person.name }) }
    },
    claims: { openid: ['sub'], profile: ['name'] },
    // An ID token says who it is about, without a second request.
    conformIdTokenClaims: false,
    ttl: {
      AccessToken: () => accessTokenSeconds,
      AuthorizationCode: 60,
      Grant: 86_400,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    rotateRefreshToken: true,
    // A refresh token that was revoked takes nothing with it here: whatever dies in the demo, dies
    // because coatcheck asked for exactly that.
    revokeGrantPolicy: (context: OidcContext) => context.oidc.route !== 'revocation',
    // By default it refuses to send logout tokens to this machine: here everything is this machine.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) => {
      if (init.body instanceof URLSearchParams) log.remember(url, init.body)
      return fetch(url, init)
    },
    discovery: {
      frontchannel_logout_supported: true,
      frontchannel_logout_session_supported: true,
    },
    extraClientMetadata: {
      properties: ['frontchannel_logout_uri', 'frontchannel_logout_session_required'],
    },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      introspection: { enabled: true, allowedPolicy: ownToken },
      revocation: { enabled: true, allowedPolicy: ownToken },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: apiScope,
          audience: resource,
          accessTokenTTL: accessTokenSeconds,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: confirmSignOut,
        postLogoutSuccessSource: signedOut,
      },
    },
  })

  // The first one sees an answer last, when all is done and told.
  provider.use(async (context, next) => {
    await next()
    if (context.oidc?.route !== 'token') return
    if (context.oidc.params['grant_type'] !== 'refresh_token' || gate === undefined) return
    gate.arrived()
    await gate.opened
  })
  const log = providerLog(provider)
  addFrontChannel(provider, issuer)

  return {
    issuer,
    log,
    questions: providerQuestions(issuer, applications, log),
    handle: signInPages(provider, issuer),
    setAccessTokenSeconds(seconds) {
      accessTokenSeconds = seconds
    },
    holdRefreshes() {
      const first = Promise.withResolvers<void>()
      const opened = Promise.withResolvers<void>()
      gate = { arrived: first.resolve, opened: opened.promise }
      return {
        first: first.promise,
        release() {
          gate = undefined
          opened.resolve()
        },
      }
    },
  }
}

function signingKey(): Readonly<Record<string, unknown>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return { ...privateKey.export({ format: 'jwk' }), kid: 'demo', use: 'sig', alg: 'RS256' }
}

function ownToken(_: unknown, client: { clientId: string }, token: { clientId: string }): boolean {
  return client.clientId === token.clientId
}
