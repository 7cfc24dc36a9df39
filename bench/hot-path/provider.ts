import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AuthOptions } from '#coatcheck'

/** A provider in another process. */
export interface HotPathProvider {
  /** As an application is told of it. */
  readonly options: AuthOptions['provider']
  close(): Promise<void>
}

/** Starts one whose access tokens outlive the benchmark. */
export async function startHotPathProvider(): Promise<HotPathProvider> {
  const child = fork(fileURLToPath(new URL('provider-process.ts', import.meta.url)))
  const [options] = await once(child, 'message')
  return {
    options,
    async close() {
      const exit = once(child, 'exit')
      child.disconnect()
      await exit
    },
  }
}
