import { it } from 'node:test'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`refuses an ID token of another issuer, answered by ${responseMode} [IDT-1, COR-15]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('id_token', ({ claims }) => {
      claims.iss = `${app.provider.issuer}INVALID`
    })
    await assertRefused(app)
  })
}
