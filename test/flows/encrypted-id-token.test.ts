import assert from 'node:assert/strict'
import { it } from 'node:test'
import { exportJWK, generateKeyPair } from 'jose'
import { type Application, startApplication } from '../support/application.ts'

/** An application whose ID tokens and logout tokens were registered to come encrypted. */
async function startEncrypted(): Promise<Application> {
  const { publicKey, privateKey } = await generateKeyPair('RSA-OAEP')
  const encryption = { key: privateKey, alg: 'RSA-OAEP', enc: 'A256GCM' }
  const app = await startApplication()
  const auth = app.another({
    provider: {
      issuer: app.provider.issuer,
      clientId: 'app',
      clientSecret: app.provider.clients.get('app')?.client_secret ?? '',
      idTokenEncryption: encryption,
    },
  })
  app.provider.register({
    client_id: 'app',
    origin: app.origin,
    id_token_encrypted_response_alg: 'RSA-OAEP',
    jwks: { keys: [{ ...(await exportJWK(publicKey)), use: 'enc', kid: 'enc-1' }] },
  })
  app.provider.applications.set(app.origin, auth.handle)
  return { ...app, auth }
}

it('signs in with an encrypted ID token, and hints with what was in it [RPI-4, IDT-17]', async (t) => {
  const app = await startEncrypted()
  t.after(app.close)
  const browser = await app.signedIn({ sub: 'U1', sid: 'S1' }, app.auth)
  const page = await browser.post(`${app.origin}/auth/sign-out`, {}, { follow: false })
  const hint = new URL(page.headers.get('location') ?? '').searchParams.get('id_token_hint') ?? ''
  assert.equal(hint.split('.').length, 3)
  const claims = JSON.parse(Buffer.from(hint.split('.')[1] ?? '', 'base64url').toString())
  assert.equal(claims.sub, 'U1')
})

it('obeys an encrypted logout token and refuses a plain one [BCL-20, BCL-21]', async (t) => {
  const app = await startEncrypted()
  t.after(app.close)
  const request = app.as(await app.signedIn({ sub: 'U1', sid: 'S1' }, app.auth))
  app.clock.forward(1000)
  const plain = await app.provider.logoutToken({ encrypt: undefined })
  assert.equal((await app.logout(plain, app.auth)).status, 400)
  assert.ok(await app.auth.session(request))
  const encrypted = await app.provider.logoutToken()
  assert.equal(encrypted.split('.').length, 5)
  assert.equal((await app.logout(encrypted, app.auth)).status, 200)
  assert.equal(await app.auth.session(request), undefined)
})
