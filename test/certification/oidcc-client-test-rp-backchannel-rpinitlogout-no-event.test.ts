import { it } from 'node:test'
import { assertLogoutRefused, runBackChannelModule } from './support.ts'

it('answers 400 to a logout token without events [BCL-33, BCL-45]', async (t) => {
  const end = await runBackChannelModule(t, ({ claims }) => {
    claims.events = undefined
  })
  await assertLogoutRefused(end, /events is missing/)
})
