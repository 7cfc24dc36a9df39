import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startApplication } from '../support/application.ts'

it('says what to register at the provider [BCL-70, BCL-72, FCL-11, FCL-12]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const { registration } = await app.auth.coverage()
  assert.deepEqual(registration, {
    redirect_uris: ['https://app.test/auth/callback'],
    post_logout_redirect_uris: ['https://app.test/auth/signed-out'],
    backchannel_logout_uri: 'https://app.test/auth/backchannel-logout',
    backchannel_logout_session_required: true,
    frontchannel_logout_uri: 'https://app.test/auth/frontchannel-logout',
    frontchannel_logout_session_required: true,
  })
})

it('keeps every address of its own on the one origin, without query or fragment, over https [BCL-70, BCL-71, FCL-11]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  for (const path of [
    '/logout#part',
    '/logout?t=1',
    'logout',
    'https://elsewhere.test/logout',
    '//x',
  ]) {
    const routes = { backChannelLogout: path }
    assert.throws(() => app.another({ routes }), {
      name: 'TypeError',
      message: /routes\.backChannelLogout/,
    })
  }
  assert.throws(() => app.another({ origin: 'http://app.test' }), {
    name: 'TypeError',
    message: /https/,
  })
})

it('says that it hears of everything at once from a provider with both channels [DIS-11]', async (t) => {
  const app = await startApplication({ session: { revalidateSeconds: 300 } })
  t.after(app.close)
  const { lines, warnings } = await app.auth.coverage()
  const elsewhere = lines.find(({ who }) => who === 'user_at_another_application')
  assert.deepEqual(elsewhere?.heardBy, ['back_channel', 'front_channel', 'revalidation'])
  assert.equal(elsewhere?.withinSeconds, 0)
  assert.deepEqual([elsewhere?.neverBy, elsewhere?.filledBy], [[], undefined])
  assert.deepEqual(warnings, [])
})

it('names every path by which a sign-out will not reach it, and what fills the gap [DIS-11]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  for (const name of [
    'backchannel_logout_supported',
    'frontchannel_logout_supported',
    'end_session_endpoint',
    'revocation_endpoint',
  ]) {
    delete app.provider.metadata[name]
  }
  const { lines, warnings } = await app.auth.coverage()
  const elsewhere = lines.find(({ who }) => who === 'user_at_another_application')
  assert.deepEqual(elsewhere, {
    who: 'user_at_another_application',
    heardBy: ['revalidation'],
    withinSeconds: 900,
    neverBy: ['back_channel', 'front_channel'],
    filledBy: 'revalidation',
  })
  const disabled = lines.find(({ who }) => who === 'account_disabled')
  assert.deepEqual(
    [disabled?.neverBy, disabled?.filledBy],
    [['back_channel', 'front_channel'], 'revalidation'],
  )
  const all = warnings.join(' ')
  for (const word of [
    /back-channel/,
    /900 s/,
    /front-channel/,
    /end_session_endpoint/,
    /revocation_endpoint/,
  ]) {
    assert.match(all, word)
  }
})

it('tells the page at once that the session is over [COO-20]', async (t) => {
  const app = await startApplication()
  t.after(app.close)
  const browser = await app.signedIn({ sub: 'U1', sid: 'S1' })
  const url = `${app.origin}/auth/session`
  const before = await browser.get(url)
  assert.equal(before.headers.get('cache-control'), 'no-store')
  assert.equal(JSON.parse(before.text).authenticated, true)
  assert.equal(JSON.parse(before.text).subject, 'U1')
  assert.equal(before.text.includes('eyJ'), false)
  app.clock.forward(1000)
  await app.logout(await app.provider.logoutToken())
  assert.deepEqual(JSON.parse((await browser.get(url)).text), { authenticated: false })
})
