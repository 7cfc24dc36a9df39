import { it } from 'node:test'
import { assertLogoutRefused, runBackChannelModule } from './support.ts'

it('answers 400 to a logout token of another issuer [BCL-26, BCL-45]', async (t) => {
  const end = await runBackChannelModule(t, ({ claims }) => {
    claims.iss = `${claims.iss}INVALID`
  })
  await assertLogoutRefused(end, /iss is not the issuer/)
})
