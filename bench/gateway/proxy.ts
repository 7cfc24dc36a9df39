// A proxy in a process of its own, bare or the gateway: proxy.ts bare|floor|memory|lmdb
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import replyFrom, { type FastifyReplyFromHooks } from '@fastify/reply-from'
import Fastify from 'fastify'
import { open } from 'lmdb'
import { Agent } from 'undici'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import { startBrowser } from '#coatcheck/testing/browser'
import { loadConfiguration } from '#gateway/configuration/load'
import { startGateway } from '#gateway/server/start'
import type { Headers } from '../load.ts'

/** Requests of several come by turns: what is only remembered of the last one helps nobody. */
const SESSIONS = 16

/** What the gateway tells an application, the longest being a JWT. */
const TOLD = {
  'x-forwarded-for': '127.0.0.1',
  'x-real-ip': '127.0.0.1',
  'x-forwarded-proto': 'http',
  'x-forwarded-host': '127.0.0.1:50000',
  'X-Forwarded-User': 'alice',
  'X-Forwarded-Email': 'alice@example.test',
  'X-Forwarded-Preferred-Username': 'alice',
  'X-Coatcheck-Identity': 'x'.repeat(600),
}

/** What it adds to an answer. */
const SHOWN = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'x-frame-options': 'SAMEORIGIN',
}

const [place = 'bare'] = process.argv.slice(2)
const provider = JSON.parse(process.env['BENCH_PROVIDER'] ?? '{}')
const upstream = process.env['BENCH_UPSTREAM'] ?? ''
const folder = await mkdtemp(join(tmpdir(), 'coatcheck-bench-'))

const isBare = place === 'bare' || place === 'floor'

process.send?.(await (isBare ? startBare(place === 'floor') : startOurs()))
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.on('disconnect', async () => {
  await rm(folder, { recursive: true })
  process.exit()
})

/**
 * What somebody would write who has no users: the same libraries, and nothing else. The floor: the
 * same with as many headers both ways as the gateway adds, always the same ones.
 */
async function startBare(hasHeaders: boolean): Promise<object> {
  const server = Fastify({ logger: false })
  const undici = new Agent({ connections: null, pipelining: 1 })
  server.register(replyFrom, { base: upstream, undici, disableRequestLogging: true })
  const hooks: FastifyReplyFromHooks = {
    rewriteRequestHeaders: (_, headers) => ({ ...headers, ...TOLD }),
    rewriteHeaders: (headers) => ({ ...headers, ...SHOWN }),
  }
  server.all('/*', (request, reply) => {
    reply.from(request.raw.url, hasHeaders ? hooks : {})
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  return { url: `${url}/api`, headers: { cookie: 'coatcheck=nobody' } }
}

async function startOurs(): Promise<object> {
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const store = place === 'lmdb' ? lmdbStore(open({ path: folder, ...lmdbOptions })) : memoryStore()
  const configuration = loadConfiguration(undefined, {
    COATCHECK_ORIGIN: origin,
    COATCHECK_PROVIDER__ISSUER: provider.issuer,
    COATCHECK_PROVIDER__CLIENT_ID: provider.clientId,
    COATCHECK_PROVIDER__CLIENT_SECRET: provider.clientSecret,
    COATCHECK_KEYS: 'a key for benchmarks of thirty-two bytes',
    COATCHECK_UPSTREAM: upstream,
    COATCHECK_LISTEN: `127.0.0.1:${port}`,
    COATCHECK_STORE: 'memory',
    COATCHECK_LOG__LEVEL: 'error',
  })
  await startGateway(configuration, { store })
  const url = `${origin}/api`
  if ((await fetch(url)).status !== 401) throw new Error('Anybody is let in.')
  const headers: Headers[] = []
  while (headers.length < SESSIONS) headers.push(await signIn(origin))
  const answers = await Promise.all(headers.map((each) => fetch(url, { headers: each })))
  if (answers.some(({ status }) => status !== 200)) throw new Error('Refused.')
  return { url, headers }
}

async function signIn(origin: string): Promise<Headers> {
  const browser = startBrowser()
  await browser.get(`${origin}/auth/sign-in?return_to=/auth/session`)
  return { cookie: browser.cookieHeader(origin) }
}

/** The origin has to be known before the gateway listens. */
function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
