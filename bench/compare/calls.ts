import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { createAuth, type TokenStore } from '#coatcheck'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import { startBrowser } from '#coatcheck/testing/browser'
import type { BenchProvider } from '../provider.ts'
import { type Summary, summarize } from '../statistics.ts'
import { progress } from './outcome.ts'
import { SECRET } from './task.ts'

/** What `session()` and `accessToken()` of one request take together, without any server. */
export interface CallsRow {
  readonly name: string
  readonly cpuMicroseconds: Summary
}

/** How often they are called. */
export interface CallsSettings {
  readonly rounds: number
  readonly calls: number
}

/** In this process, with nothing else going on. */
export async function measureCalls(
  { options: provider }: BenchProvider,
  { rounds, calls }: CallsSettings,
): Promise<CallsRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bench-'))
  const stores: Readonly<Record<string, TokenStore>> = {
    memory: memoryStore(),
    lmdb: lmdbStore(open({ path: folder, ...lmdbOptions })),
  }
  const rows: CallsRow[] = []
  for (const [name, store] of Object.entries(stores)) {
    progress(`both calls alone: ${name}`)
    const auth = createAuth({
      origin: 'http://localhost',
      provider,
      store,
      keys: [SECRET],
      scope: 'openid profile email offline_access',
    })
    const browser = startBrowser({ origins: { [auth.origin]: (request) => auth.handle(request) } })
    await browser.get(`${auth.origin}${auth.signInPath('/auth/session')}`)
    const headers = { cookie: browser.cookieHeader(auth.origin) }
    const both: number[] = []
    for (let round = -2; round < rounds; round++) {
      const before = process.cpuUsage()
      for (let call = 0; call < calls; call++) {
        const request = { headers }
        const session = await auth.session(request)
        if (session === undefined) throw new Error('Nobody is signed in.')
        await auth.accessToken(request)
      }
      const { user, system } = process.cpuUsage(before)
      // The first ones warm up.
      if (round >= 0) both.push((user + system) / calls)
    }
    rows.push({ name: `coatcheck, ${name}`, cpuMicroseconds: summarize(both, 2) })
    await auth.close()
  }
  await rm(folder, { recursive: true })
  return rows
}
