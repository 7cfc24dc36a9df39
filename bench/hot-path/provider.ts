import type { AuthOptions } from '#coatcheck'
import { startChild } from '../child.ts'

/** A provider in another process. */
export interface HotPathProvider {
  /** As an application is told of it. */
  readonly options: AuthOptions['provider']
  close(): Promise<void>
}

/** Starts one whose access tokens outlive the benchmark. */
export async function startHotPathProvider(): Promise<HotPathProvider> {
  const { told, close } = await startChild<AuthOptions['provider']>(
    new URL('provider-process.ts', import.meta.url),
  )
  return { options: told, close }
}
