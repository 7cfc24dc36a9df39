// Application A, one of its two processes: Express, and an LMDB environment that both open.

import './localhost.ts'
import type { Server } from 'node:http'
import { askToSignIn, expressAuth, requireSession } from 'coatcheck/adapters/express'
import { lmdbOptions, lmdbStore } from 'coatcheck/stores/lmdb'
import express from 'express'
import { open } from 'lmdb'
import { type ApplicationOptions, application } from './application.ts'
import { wantsJson } from './wants-json.ts'

/** What the demo sends a process of A to start it. */
export interface StartA extends ApplicationOptions {
  readonly folder: string
  readonly port: number
}

/** What a process of A answers. */
export type FromA =
  | { readonly type: 'ready'; readonly port: number }
  | { readonly type: 'failed'; readonly why: string }

process.once('message', (start: StartA) => {
  const database = open({ path: start.folder, ...lmdbOptions, maxReaders: 64 })
  const store = lmdbStore(database)
  const { auth, page, panel, cache, call } = application(start, store)

  const app = express()
  app.disable('x-powered-by')
  app.use((_request, response, next) => {
    response.set('X-Answered-By', String(process.pid)).set('Cache-Control', 'no-store')
    next()
  })
  app.use(expressAuth(auth))

  app.get('/', async (request, response) => {
    response.send(await page(await auth.session(request)))
  })
  app.get('/call', requireSession(auth), async (request, response) => {
    const answer = await call(request, request.query['fresh'] === '1')
    if (wantsJson(request.headers.accept)) response.status(answer.status).send(answer.body)
    else response.send(await page(response.locals.session, answer))
  })
  app.get('/panel', async (_request, response) => {
    response.send(await panel())
  })
  app.get('/cache', async (_request, response) => {
    response.json(await cache())
  })
  // In a real application: for administrators only.
  app.post('/administrator/sign-out', express.urlencoded(), async (request, response) => {
    const receipt = await auth.signOut(
      { subject: String(request.body?.subject) },
      { cause: 'administrator' },
    )
    if (wantsJson(request.headers.accept)) response.json(receipt)
    else response.redirect(303, '/')
  })

  app.use(askToSignIn(auth))

  const server = app.listen(start.port, '127.0.0.1', (error?: Error) => {
    if (error) say({ type: 'failed', why: error.message })
    else say({ type: 'ready', port: (server.address() as { port: number }).port })
  })
  process.once('message', () => end(server))
  process.once('disconnect', () => end(server))

  async function end(listening: Server): Promise<void> {
    listening.close()
    listening.closeAllConnections()
    await auth.close()
    await store.close()
    await database.close()
    process.exit()
  }
})

// Ctrl-C reaches every process of the terminal; this one goes when its parent says so.
process.on('SIGINT', () => {})

function say(message: FromA): void {
  process.send?.(message)
}
