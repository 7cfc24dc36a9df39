import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, startModule } from './support.ts'

it('asks for the keys again where the ID token has a kid it never saw [IDT-12]', async (t) => {
  const app = await startModule(t)
  let asked = 0
  app.provider.next('id_token', async ({ header }) => {
    asked = app.provider.count('jwks')
    header.kid = (await app.provider.rotateKeys()).kid
  })
  await assertAccepted(app)
  assert.equal(app.provider.count('jwks'), asked + 1)
})
