import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, startModule } from './support.ts'

it('goes on where keys are rotated twice within the same second [DIS-6, IDT-12]', async (t) => {
  const app = await startModule(t)
  await assertAccepted(app)
  for (const requests of [2, 3]) {
    app.provider.before('authorization', () => app.provider.rotateKeys())
    await assertAccepted(app)
    assert.equal(app.provider.count('jwks'), requests)
    assert.equal(app.provider.count('userinfo'), requests)
  }
})
