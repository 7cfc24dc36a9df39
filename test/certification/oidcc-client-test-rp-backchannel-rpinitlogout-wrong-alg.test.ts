import { it } from 'node:test'
import { assertLogoutRefused, runBackChannelModule } from './support.ts'

it('answers 400 to a logout token of another algorithm by a published key [BCL-25, BCL-45]', async (t) => {
  const end = await runBackChannelModule(t, async (draft, provider) => {
    const { alg, kid } = await provider.keys.add('EC')
    draft.header = { alg, kid }
  })
  await assertLogoutRefused(end, /alg is not RS256/)
})
