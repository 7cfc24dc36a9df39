import { it } from 'node:test'
import { signsOutEverywhere } from './signs-out-everywhere.ts'
import { singlePageApplication } from './single-page-application.ts'
import { eventStream } from './under-way.ts'

it('a single-page application shows the user, has an API called as the user, and nothing of either is left when the provider or another application signs the user out', async (t) => {
  await signsOutEverywhere(t, {
    ...singlePageApplication,
    signIn: '/auth/sign-in?return_to=/',
    page: '/auth/session',
    says: (sub) => `"subject":"${sub}"`,
    coats: '/api/coats',
    open: (browser, origin) => eventStream(browser, `${origin}/api/events`),
  })
})
