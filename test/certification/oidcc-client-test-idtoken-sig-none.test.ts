import { it } from 'node:test'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`refuses an unsigned ID token, though from the token endpoint, answered by ${responseMode} [IDT-6, COR-15]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.metadata['id_token_signing_alg_values_supported'] = ['RS256', 'none']
    app.provider.next('id_token', (draft) => {
      draft.header = { alg: 'none' }
    })
    await assertRefused(app)
  })
}
