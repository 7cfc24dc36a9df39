import type { RequestListener } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { askToSignIn, honoAuth, requireSession } from 'coatcheck/adapters/hono'
import { memoryStore } from 'coatcheck/stores/memory'
import { Hono } from 'hono'
import { type ApplicationOptions, application } from './application.ts'
import { wantsJson } from './wants-json.ts'

/** Application B: Hono, and a store in its own memory. */
export function applicationB(options: ApplicationOptions): {
  readonly handle: RequestListener
  close(): Promise<void>
} {
  const store = memoryStore()
  const { auth, page, panel, cache, call } = application(options, store)

  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    c.header('Cache-Control', 'no-store')
  })
  app.use(honoAuth(auth))

  app.get('/', async (c) => c.html(await page(await auth.session(c.req.raw))))
  app.get('/call', requireSession(auth), async (c) => {
    const answer = await call(c.req.raw, c.req.query('fresh') === '1')
    if (wantsJson(c.req.header('accept'))) {
      return c.body(answer.body, answer.status as 200, { 'Content-Type': 'application/json' })
    }
    return c.html(await page(c.get('session'), answer))
  })
  app.get('/panel', async (c) => c.html(await panel()))
  app.get('/cache', async (c) => c.json(await cache()))
  // In a real application: for administrators only.
  app.post('/administrator/sign-out', async (c) => {
    const { subject } = await c.req.parseBody()
    const receipt = await auth.signOut({ subject: String(subject) }, { cause: 'administrator' })
    return wantsJson(c.req.header('accept')) ? c.json(receipt) : c.redirect('/', 303)
  })

  app.onError(
    askToSignIn(auth, (error, c) => {
      console.error(error)
      return c.text('Something went wrong.', 500)
    }),
  )

  return {
    handle: getRequestListener(app.fetch),
    async close() {
      await auth.close()
      await store.close()
    },
  }
}
