import { it } from 'node:test'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`refuses an ID token for another client, answered by ${responseMode} [IDT-2, COR-15]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('id_token', ({ claims }) => {
      claims.aud = `${claims.aud}INVALID`
    })
    await assertRefused(app)
  })
}
