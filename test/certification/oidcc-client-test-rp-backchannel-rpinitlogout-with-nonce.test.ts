import { it } from 'node:test'
import { assertLogoutRefused, runBackChannelModule } from './support.ts'

it('answers 400 to a logout token with a nonce [BCL-36, BCL-45]', async (t) => {
  const end = await runBackChannelModule(t, ({ claims }) => {
    claims.nonce = 'any'
  })
  await assertLogoutRefused(end, /it has a nonce/)
})
