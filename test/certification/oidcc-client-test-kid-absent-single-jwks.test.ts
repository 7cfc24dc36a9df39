import { it } from 'node:test'
import { assertAccepted, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`accepts an ID token without kid by the only key, answered by ${responseMode} [IDT-13]`, async (t) => {
    const app = await startModule(t, { responseMode })
    app.provider.keys.named = false
    await assertAccepted(app)
  })
}
