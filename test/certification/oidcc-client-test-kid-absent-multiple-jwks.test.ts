import { it } from 'node:test'
import { assertAccepted, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`accepts an ID token without kid by the last of three keys, answered by ${responseMode} [IDT-13]`, async (t) => {
    const app = await startModule(t, { responseMode })
    const { keys } = app.provider
    keys.named = false
    await keys.add('RSA')
    await keys.add('RSA')
    keys.published.reverse()
    await assertAccepted(app)
  })
}
