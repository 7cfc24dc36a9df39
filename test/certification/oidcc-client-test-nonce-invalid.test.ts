import { it } from 'node:test'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`refuses an ID token with the nonce of another sign-in, answered by ${responseMode} [COR-3, COR-15]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('id_token', ({ claims }) => {
      claims.nonce = `${claims.nonce}1`
    })
    await assertRefused(app)
  })
}
