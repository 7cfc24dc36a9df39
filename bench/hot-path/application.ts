// One route, bare or with coatcheck, in a process of its own: application.ts express|hono bare|memory|lmdb
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { open } from 'lmdb'
import { type Auth, createAuth, type TokenStore } from '#coatcheck'
import { expressAuth } from '#coatcheck/adapters/express'
import { honoAuth } from '#coatcheck/adapters/hono'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import { startBrowser } from '#coatcheck/testing/browser'

const [framework = '', place = ''] = process.argv.slice(2)
const provider = JSON.parse(process.env['BENCH_PROVIDER'] ?? '{}')

const frameworks: Readonly<Record<string, (auth: Auth | undefined) => Promise<number>>> = {
  async express(auth) {
    const app = express()
    if (auth === undefined) {
      app.get('/api', (_, response) => {
        response.json({ ok: true })
      })
    } else {
      app.use(expressAuth(auth))
      app.get('/api', async (request, response) => {
        const session = await auth.session(request)
        const accessToken = session && (await auth.accessToken(request))
        response.status(accessToken === undefined ? 401 : 200).json({ ok: true })
      })
    }
    return new Promise((resolve) => {
      const server = app.listen(0, '127.0.0.1', () => {
        resolve((server.address() as AddressInfo).port)
      })
    })
  },

  async hono(auth) {
    const app = new Hono()
    if (auth === undefined) {
      app.get('/api', (context) => context.json({ ok: true }))
    } else {
      app.use(honoAuth(auth))
      app.get('/api', async (context) => {
        const session = await auth.session(context.req.raw)
        const accessToken = session && (await auth.accessToken(context.req.raw))
        return context.json({ ok: true }, accessToken === undefined ? 401 : 200)
      })
    }
    return new Promise((resolve) => {
      serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port))
    })
  },
}

const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bench-'))
const stores: Readonly<Record<string, () => TokenStore>> = {
  memory: memoryStore,
  lmdb: () => lmdbStore(open({ path: folder })),
}

const start = frameworks[framework]
if (start === undefined) throw new TypeError('Write express or hono.')
const store = stores[place]?.()
const auth =
  store &&
  createAuth({
    origin: 'http://localhost',
    provider,
    store,
    keys: ['a key for benchmarks of thirty-two bytes'],
    scope: 'openid profile email offline_access',
  })
const url = `http://127.0.0.1:${await start(auth)}/api`
const cookie = auth === undefined ? 'coatcheck=nobody' : await signIn(auth)

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.on('disconnect', async () => {
  await rm(folder, { recursive: true })
  process.exit()
})
process.send?.({ url, headers: { cookie } })

/** For real: through the provider, as a browser does. */
async function signIn(auth: Auth): Promise<string> {
  const browser = startBrowser({
    origins: { [auth.origin]: (request) => auth.handle(request) },
  })
  await browser.get(`${auth.origin}${auth.signInPath('/auth/session')}`)
  const cookie = browser.cookieHeader(auth.origin)
  const session = await auth.session({ headers: { cookie } })
  if (session === undefined) throw new Error('Nobody is signed in.')
  if ((await fetch(url, { headers: { cookie } })).status !== 200) throw new Error('Refused.')
  if ((await fetch(url)).status !== 401) throw new Error('Anybody is let in.')
  return cookie
}
