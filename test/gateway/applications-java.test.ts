import { join } from 'node:path'
import { it } from 'node:test'
import { root } from '../../scripts/run.mjs'
import { startJava } from '../servers/java.ts'
import { ownSessions } from './own-sessions.ts'
import { signsOutEverywhere } from './signs-out-everywhere.ts'
import { eventStream } from './under-way.ts'

it('a Java application shows the user, calls an API as the user, and has nothing of either left when the provider or another application signs the user out', async (t) => {
  await signsOutEverywhere(t, {
    name: 'java',
    start: (env) => startJava(join(root, 'examples/gateway/java/App.java'), env),
    signIn: '/java',
    page: '/java',
    says: (sub) => `${sub} is signed in`,
    coats: '/java/coats',
    open: (browser, origin) => eventStream(browser, `${origin}/java/events`),
    sessions: ownSessions,
  })
})
