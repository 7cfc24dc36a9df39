import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startApplication } from '../support/application.ts'

it('shows an administrator one session by its handle, until it is over', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  await app.signedIn({ sub: 'U1' })
  await app.signedIn({ sub: 'U2' })
  const [listed] = await app.auth.sessions({ subject: 'U1' })
  assert.ok(listed)
  assert.deepEqual(await app.auth.sessions({ session: listed.handle }), [listed])
  await app.auth.signOut({ session: listed.handle })
  assert.deepEqual(await app.auth.sessions({ session: listed.handle }), [])
})

it('shows nothing of a session of another application in the same store', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  await app.signedIn({ sub: 'U1' })
  const [listed] = await app.auth.sessions({ subject: 'U1' })
  assert.ok(listed)
  const foreign = app.another({
    provider: { issuer: app.provider.issuer, clientId: 'other', clientSecret: 'secret' },
  })
  assert.deepEqual(await foreign.sessions({ session: listed.handle }), [])
})

it('refuses to look for a cookie by it', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  await assert.rejects(app.auth.sessions({ session: '__Host-x=abc' }), {
    name: 'TypeError',
    message: /handle/,
  })
})
