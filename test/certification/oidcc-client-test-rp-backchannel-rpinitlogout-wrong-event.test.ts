import { it } from 'node:test'
import { assertLogoutRefused, runBackChannelModule } from './support.ts'

it('answers 400 to a logout token that tells of another event [BCL-33, BCL-45]', async (t) => {
  const end = await runBackChannelModule(t, ({ claims }) => {
    claims.events = { 'http://schemas.openid.net/event/foobar': {} }
  })
  await assertLogoutRefused(end, /events does not name a back-channel logout/)
})
