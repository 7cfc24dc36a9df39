import type { AuthOptions } from '#coatcheck'
import { startChild } from './child.ts'

/** What an application is told of the provider. */
export interface ProviderAddress {
  readonly issuer: string
  readonly clientId: string
  /** The client that says the secret in the body of its requests. */
  readonly postClientId: string
  readonly clientSecret: string
}

/** A session as the provider knows it. */
export interface SessionAtProvider {
  readonly sub: string
  readonly sid?: string
}

/** What the process is asked. */
export type ProviderQuestion =
  | { readonly ask: 'log-outs'; readonly sessions: readonly SessionAtProvider[] }
  | { readonly ask: 'lifetime'; readonly seconds: number }
  | { readonly ask: 'refreshes' }

/** npm's `oidc-provider` in another process. */
export interface BenchProvider {
  readonly address: ProviderAddress
  /** The same, as coatcheck is told of it. */
  readonly options: AuthOptions['provider']
  /** A logout token for one session of a user, or for all. */
  logoutToken(session: SessionAtProvider): Promise<string>
  /** One for each. */
  logoutTokens(sessions: readonly SessionAtProvider[]): Promise<string[]>
  /** How long access tokens are good that it gives from now on. */
  setLifetime(seconds: number): Promise<void>
  /** How many refreshes it did and refused since it was asked last. */
  refreshes(): Promise<{ readonly refreshes: number; readonly refused: number }>
  close(): Promise<void>
}

/**
 * Starts one whose access tokens outlive the benchmark. It asks for no consent, and signs in whom
 * the header `x-user` names: `user-1` where there is none.
 */
export async function startBenchProvider(): Promise<BenchProvider> {
  const child = await startChild<ProviderAddress>(new URL('provider-process.ts', import.meta.url))
  const ask = <Answer>(question: ProviderQuestion): Promise<Answer> => child.ask<Answer>(question)
  const logoutTokens: BenchProvider['logoutTokens'] = (sessions) =>
    ask({ ask: 'log-outs', sessions })
  const { issuer, clientId, clientSecret } = child.told
  return {
    address: child.told,
    options: { issuer, clientId, clientSecret },
    logoutTokens,
    logoutToken: async (session) => (await logoutTokens([session]))[0] ?? '',
    setLifetime: (seconds) => ask({ ask: 'lifetime', seconds }),
    refreshes: () => ask({ ask: 'refreshes' }),
    close: child.close,
  }
}
