import { it } from 'node:test'
import { assertLogoutRefused, runBackChannelModule } from './support.ts'

it('answers 400 to a logout token for another client [BCL-27, BCL-45]', async (t) => {
  const end = await runBackChannelModule(t, ({ claims }) => {
    claims.aud = `${claims.aud}INVALID`
  })
  await assertLogoutRefused(end, /aud is not this client/)
})
