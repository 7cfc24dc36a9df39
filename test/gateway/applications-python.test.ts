import { join } from 'node:path'
import { it } from 'node:test'
import { root } from '../../scripts/run.mjs'
import { startPython } from '../servers/python.ts'
import { ownSessions } from './own-sessions.ts'
import { signsOutEverywhere } from './signs-out-everywhere.ts'
import { eventStream } from './under-way.ts'

it('a Python application shows the user, calls an API as the user, and has nothing of either left when the provider or another application signs the user out', async (t) => {
  await signsOutEverywhere(t, {
    name: 'python',
    start: (env) => startPython([join(root, 'examples/gateway/python/app.py')], env),
    signIn: '/python',
    page: '/python',
    says: (sub) => `${sub} is signed in`,
    coats: '/python/coats',
    open: (browser, origin) => eventStream(browser, `${origin}/python/events`),
    sessions: ownSessions,
  })
})
