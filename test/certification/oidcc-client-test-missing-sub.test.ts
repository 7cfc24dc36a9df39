import { it } from 'node:test'
import { assertRefused, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`refuses an ID token that names nobody, answered by ${responseMode} [IDT-10, COR-15]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.next('id_token', ({ claims }) => {
      claims.sub = undefined
    })
    await assertRefused(app)
  })
}
