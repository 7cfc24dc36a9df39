import { it } from 'node:test'
import { assertLogoutRefused, runBackChannelModule } from './support.ts'

it('answers 400 to an unsigned logout token, though nobody is left to be signed out here [BCL-24, BCL-45]', async (t) => {
  const end = await runBackChannelModule(t, (draft) => {
    draft.header = { alg: 'none' }
  })
  await assertLogoutRefused(end, /alg is not RS256/)
})
