// What session() and accessToken() take by themselves, without any server: node bench/hot-path/calls.ts
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { createAuth, type TokenStore } from '#coatcheck'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import { startBrowser } from '#coatcheck/testing/browser'
import { startBenchProvider } from '../provider.ts'
import { spread } from '../statistics.ts'

const ROUNDS = 9
const CALLS = 20_000

const provider = await startBenchProvider()
const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bench-'))
const stores: Readonly<Record<string, TokenStore>> = {
  memory: memoryStore(),
  lmdb: lmdbStore(open({ path: folder })),
}
const rows: Record<string, object> = {}
for (const [name, store] of Object.entries(stores)) {
  const auth = createAuth({
    origin: 'http://localhost',
    provider: provider.options,
    store,
    keys: ['a key for benchmarks of thirty-two bytes'],
    scope: 'openid profile email offline_access',
  })
  const browser = startBrowser({ origins: { [auth.origin]: (request) => auth.handle(request) } })
  await browser.get(`${auth.origin}${auth.signInPath('/auth/session')}`)
  const headers = { cookie: browser.cookieHeader(auth.origin) }
  const both: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    for (let call = 0; call < CALLS; call++) {
      const request = { headers }
      const session = await auth.session(request)
      if (session === undefined) throw new Error('Nobody is signed in.')
      await auth.accessToken(request)
    }
    const { user, system } = process.cpuUsage(before)
    // The first ones warm up.
    if (round > 1) both.push((user + system) / CALLS)
  }
  rows[name] = { 'CPU µs for session() and accessToken()': spread(both, 2) }
  await auth.close()
}
console.table(rows)
await provider.close()
await rm(folder, { recursive: true })
