import { it } from 'node:test'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`refuses an ID token without the time of its issue, answered by ${responseMode} [IDT-9, COR-15]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('id_token', ({ claims }) => {
      claims.iat = undefined
    })
    await assertRefused(app)
  })
}
