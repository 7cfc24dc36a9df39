import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`accepts an ID token signed with RS256, answered by ${responseMode} [IDT-5]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('id_token', ({ header }) => {
      assert.equal(header.alg, 'RS256')
    })
    await assertAccepted(app)
  })
}
