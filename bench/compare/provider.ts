import { startChild } from '../child.ts'

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
  /** Default: the client that says its secret in a header. */
  readonly clientId?: string
}

/** What the process is asked; one question at a time. */
export type ProviderQuestion =
  | { readonly ask: 'log-outs'; readonly sessions: readonly SessionAtProvider[] }
  | { readonly ask: 'lifetime'; readonly seconds: number }
  | { readonly ask: 'refreshes' }

/** npm's `oidc-provider` in another process. */
export interface CompareProvider {
  readonly address: ProviderAddress
  /** One logout token for each session. */
  logoutTokens(sessions: readonly SessionAtProvider[]): Promise<string[]>
  /** How long access tokens are good that it gives from now on. */
  setLifetime(seconds: number): Promise<void>
  /** How many refreshes it did and refused since it was asked last. */
  refreshes(): Promise<{ readonly refreshes: number; readonly refused: number }>
  close(): Promise<void>
}

/** Starts one. It signs in whom the header `x-user` names, and asks for no consent. */
export async function startCompareProvider(): Promise<CompareProvider> {
  const child = await startChild<ProviderAddress>(new URL('provider-process.ts', import.meta.url))
  const ask = <Answer>(question: ProviderQuestion): Promise<Answer> => child.ask<Answer>(question)
  return {
    address: child.told,
    logoutTokens: (sessions) => ask({ ask: 'log-outs', sessions }),
    setLifetime: (seconds) => ask({ ask: 'lifetime', seconds }),
    refreshes: () => ask({ ask: 'refreshes' }),
    close: child.close,
  }
}
