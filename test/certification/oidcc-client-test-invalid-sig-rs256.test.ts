import { it } from 'node:test'
import { breakSignature } from '#coatcheck/testing/provider/jwt'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`refuses an ID token whose signature is broken, answered by ${responseMode} [IDT-5, COR-15]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('id_token', (draft) => {
      draft.rewrite = breakSignature
    })
    await assertRefused(app)
  })
}
