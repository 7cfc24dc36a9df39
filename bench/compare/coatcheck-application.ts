// The route with coatcheck, or bare, in a process of its own. Variants: `express:bare`, `hono:lmdb`, …
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from '@hono/node-server'
import express from 'express'
import { Hono } from 'hono'
import { Redis } from 'ioredis'
import { open } from 'lmdb'
import pg from 'pg'
import { type Auth, createAuth, type TokenStore } from '#coatcheck'
import { expressAuth } from '#coatcheck/adapters/express'
import { honoAuth } from '#coatcheck/adapters/hono'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import { migratePostgres, postgresStore } from '#coatcheck/stores/postgres'
import { redisStore } from '#coatcheck/stores/redis'
import { type Planned, populate } from '../scale/population.ts'
import { settledAt } from '../settled.ts'
import { type Answer, ROUTE, readTask, ready, SECRET } from './task.ts'

const task = readTask()
const { port, origin, provider } = task
const { issuer, clientId } = provider
const [framework = '', place = ''] = task.variant.split(':')
// All processes of one application have the same one.
const folder = join(tmpdir(), `coatcheck-bench-${process.ppid}-${new URL(origin).port}`)
await mkdir(folder, { recursive: true })
const store = await openStore()
const auth =
  store &&
  createAuth({
    origin,
    provider: { issuer, clientId, clientSecret: provider.clientSecret },
    store,
    keys: [SECRET],
    scope: 'openid profile email offline_access',
  })

const owner = { issuer, clientId, key: SECRET }
process.on('message', async (message: 'settle' | { readonly populate?: readonly Planned[] }) => {
  if (store === undefined) return
  if (message === 'settle') {
    await (await settledAt(store, owner))()
    process.send?.('settled')
  } else if (message.populate !== undefined) {
    process.send?.(await populate(store, owner, message.populate))
  }
})
if (framework === 'express') onExpress(auth)
else onHono(auth)

function onExpress(auth: Auth | undefined): void {
  const app = express()
  if (auth === undefined) {
    app.get(ROUTE, (_, response) => {
      response.json(SOMEBODY)
    })
  } else {
    app.use(expressAuth(auth))
    app.get(ROUTE, async (request, response) => {
      const answer = await answerOf(auth, request)
      if (answer === undefined) response.status(401).json({})
      else response.json(answer)
    })
  }
  app.listen(port, '127.0.0.1', () => ready(clean))
}

function onHono(auth: Auth | undefined): void {
  const app = new Hono()
  if (auth === undefined) {
    app.get(ROUTE, (context) => context.json(SOMEBODY))
  } else {
    app.use(honoAuth(auth))
    app.get(ROUTE, async (context) => {
      const answer = await answerOf(auth, context.req.raw)
      return answer === undefined ? context.json({}, 401) : context.json(answer)
    })
  }
  serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => ready(clean))
}

async function answerOf(
  auth: Auth,
  request: Parameters<Auth['session']>[0],
): Promise<Answer | undefined> {
  const session = await auth.session(request)
  if (session === undefined) return undefined
  const token = await auth.accessToken(request)
  return { sub: session.subject, length: token.value.length }
}

async function openStore(): Promise<TokenStore | undefined> {
  if (place === 'memory') return memoryStore()
  if (place === 'lmdb') return lmdbStore(open({ path: folder, mapSize: 2 ** 32, ...lmdbOptions }))
  if (place === 'redis') return redisStore(new Redis(task.redis ?? ''))
  if (place !== 'postgres') return undefined
  const pool = new pg.Pool({ connectionString: task.postgres, max: 10 })
  await migratePostgres(pool)
  return postgresStore(pool)
}

async function clean(): Promise<void> {
  await auth?.close()
  await rm(folder, { recursive: true, force: true })
}

/** What is answered where nobody asks who it is. */
const SOMEBODY: Answer = { sub: 'user-0', length: 1_500 }
