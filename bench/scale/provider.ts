import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A provider in another process, as an application is told of it. */
export interface BenchProvider {
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** A logout token for one session of a user, or for all. One at a time. */
  logoutToken(session: { readonly sub: string; readonly sid?: string }): Promise<string>
  close(): Promise<void>
}

/** Starts one. */
export async function startBenchProvider(): Promise<BenchProvider> {
  const child = fork(fileURLToPath(new URL('provider-process.ts', import.meta.url)))
  const [told] = await once(child, 'message')
  return {
    ...told,
    async logoutToken(session) {
      child.send(session)
      const [token] = await once(child, 'message')
      return token
    },
    async close() {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}
