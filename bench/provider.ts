import type { AuthOptions } from '#coatcheck'
import { startChild } from './child.ts'

/** A provider in another process. */
export interface BenchProvider {
  /** As an application is told of it. */
  readonly options: AuthOptions['provider']
  /** A logout token for one session of a user, or for all. One at a time. */
  logoutToken(session: { readonly sub: string; readonly sid?: string }): Promise<string>
  close(): Promise<void>
}

/** Starts one whose access tokens outlive the benchmark. */
export async function startBenchProvider(): Promise<BenchProvider> {
  const { told, ask, close } = await startChild<AuthOptions['provider']>(
    new URL('provider-process.ts', import.meta.url),
  )
  return { options: told, logoutToken: (session) => ask(session), close }
}
