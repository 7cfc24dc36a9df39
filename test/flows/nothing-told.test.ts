import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startApplication } from '../support/application.ts'
import { startListening } from '../support/overheard.ts'

const USER = { sub: 'subject-that-nobody-may-log', sid: 'sid-that-nobody-may-log' }

it('names nobody in events and errors, whatever happens [INV-12]', async (t) => {
  const overheard = startListening()
  const app = await startApplication({ observe: overheard.event })
  t.after(app.close)
  const auth = overheard.listen(app.auth)
  const { provider, origin } = app

  const endings: (() => Promise<unknown>)[] = [
    async () => app.logout(await provider.logoutToken()),
    async () => app.logout(await provider.logoutToken({ claims: { sid: undefined } })),
    async () =>
      app.logout(await provider.logoutToken({ claims: { sub: 'another-subject-nobody-may-log' } })),
    async () => app.logout(await provider.logoutToken({ claims: { exp: 1 } })),
    async () => app.logout(`${await provider.logoutToken()}x`),
    () => auth.handle(new Request(`${origin}/auth/frontchannel-logout?sid=${USER.sid}`)),
    () => auth.signOut({ subject: USER.sub }),
    () => auth.signOut({ sid: USER.sid }),
  ]
  for (const end of endings) {
    const browser = await app.signedIn(USER)
    provider.next(
      'token',
      { status: 500, body: `trouble with ${USER.sub}` },
      { grant: 'refresh_token' },
    )
    await auth.accessToken(app.as(browser), { forceRefresh: true }).catch(() => undefined)
    app.clock.forward(1000)
    await end()
    await auth.accessToken(app.as(browser)).catch(() => undefined)
    await browser.post(`${origin}/auth/sign-out`)
    app.clock.forward(60_000)
  }
  provider.next('id_token', ({ claims }) => Object.assign(claims, { nonce: 'wrong' }))
  assert.equal((await app.browser().get(`${origin}/auth/sign-in`)).status, 400)
  provider.next('authorization_response', (answer) => {
    answer.set('error', 'access_denied')
    answer.set('error_description', `${USER.sub} said no`)
  })
  assert.equal((await app.browser().get(`${origin}/auth/sign-in`)).status, 400)

  overheard.assertSilentAbout([USER.sub, USER.sid, 'another-subject-nobody-may-log'])
  assert.throws(() => overheard.assertSilentAbout(['back_channel']), 'it heard nothing at all')
})
