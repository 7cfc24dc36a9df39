import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import { assertDone, assertRefused, startSixSessions } from '../support/sessions.ts'

const FORM = 'application/x-www-form-urlencoded'
const S1 = { sub: 'U1', sid: 'S1' }

it('takes a form, whatever else is in it and however its type is spelt [BCL-1, BCL-2, BCL-3]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1 })
  const body = `ignored_parameter=1&logout_token=${token}&foo=bar`
  const headers = { 'content-type': 'Application/X-WWW-Form-Urlencoded; charset=UTF-8' }
  assertDone(await app.post(body, { headers }))
  await app.assertGone('A1', 'A3')
})

it('refuses every other body [BCL-4, BCL-5, BCL-6, BCL-14]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1 })
  const other = await app.provider.logoutToken({ session: { sub: 'U2', sid: 'S3' } })
  const multipart = new FormData()
  multipart.set('logout_token', token)
  const bodies: [BodyInit | null, string | undefined, number][] = [
    [JSON.stringify({ logout_token: token }), 'application/json', 415],
    [`logout_token=${token}`, 'text/plain', 415],
    [multipart, undefined, 415],
    [null, undefined, 415],
    ['', FORM, 400],
    ['logout_token=', FORM, 400],
    ['foo=bar', FORM, 400],
    [`logout_token[]=${token}`, FORM, 400],
    [`logout_token=${token}&logout_token=${other}`, FORM, 400],
    [`logout_token=${other}&logout_token=${token}`, FORM, 400],
    [`logout_token=${token}&logout_token=${token}`, FORM, 400],
  ]
  for (const [body, type, status] of bodies) {
    await assertRefused(
      await app.post(body, type ? { headers: { 'content-type': type } } : {}),
      status,
    )
  }
  const path = `/auth/backchannel-logout?logout_token=${token}`
  await assertRefused(await app.post('', { headers: { 'content-type': FORM }, path }))
  await app.assertGone()
  assertDone(await app.logout(token))
})

it('answers other methods with 405 and changes nothing [BCL-7]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1 })
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const url = `${app.origin}/auth/backchannel-logout?logout_token=${token}`
    const response = await app.auth.handle(new Request(url, { method }))
    assert.equal(response.status, 405, method)
    assert.equal(response.headers.get('allow'), 'POST')
    assert.equal(response.headers.get('cache-control'), 'no-store')
  }
  await app.assertGone()
})

it('never answers with a redirect, also with a slash too many [BCL-9, BCL-11, BCL-12]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  const path = '/auth/backchannel-logout/'
  assert.equal(app.auth.owns(path), true)
  const token = await app.provider.logoutToken({ session: S1 })
  assertDone(await app.post(new URLSearchParams({ logout_token: token }), { path }))
  await app.assertGone('A1', 'A3')
})

it('bounds what it reads before it looks at it [BCL-17]', async (t) => {
  const app = await startSixSessions()
  t.after(app.close)
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 16_384
      controller.enqueue(new Uint8Array(16_384).fill(97))
    },
  })
  const request = new Request(`${app.origin}/auth/backchannel-logout`, {
    method: 'POST',
    headers: { 'content-type': FORM },
    body: endless,
    duplex: 'half',
  } as RequestInit)
  await assertRefused(await app.auth.handle(request), 413)
  assert.ok(sent <= 128 * 1024, `it read ${sent} bytes`)
  const long = await app.provider.logoutToken({
    session: S1,
    claims: { padding: 'x'.repeat(20_000) },
  })
  await assertRefused(await app.logout(long))
  await app.assertGone()
})

it('answers 200 only when the removal is durable [BCL-15, BCL-13]', async (t) => {
  let release = (): void => {}
  let removing = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const reached = new Promise<void>((resolve) => {
    removing = resolve
  })
  const inner = memoryStore()
  const store: TokenStore = {
    ...inner,
    async removeAll(marks, removal) {
      removing()
      await held
      return inner.removeAll(marks, removal)
    },
  }
  const app = await startSixSessions({ store })
  t.after(app.close)
  let answered = false
  const token = await app.provider.logoutToken({ session: S1 })
  const answer = app.logout(token).then((response) => {
    answered = true
    return response
  })
  await reached
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(answered, false)
  release()
  assertDone(await answer)
  await app.assertGone('A1', 'A3')
})

it('answers 400 while the store fails, does not use up the token, and finishes by itself [BCL-13, BCL-39, BCL-40]', async (t) => {
  const inner = memoryStore()
  let down = false
  const store: TokenStore = {
    ...inner,
    async removeAll(marks, removal) {
      if (down) throw new Error('connection lost')
      return inner.removeAll(marks, removal)
    },
    get(id) {
      if (down) throw new Error('connection lost')
      return inner.get(id)
    },
  }
  const app = await startSixSessions({ store })
  t.after(app.close)
  const token = await app.provider.logoutToken({ session: S1 })
  down = true
  await assertRefused(await app.logout(token))
  assert.equal(app.heard('sign_out_deferred').length, 1)
  await assert.rejects(app.auth.session(app.as(app.browsers.A1)), { code: 'store_unavailable' })
  down = false
  // The provider sends it again before we tried again ourselves: one of them does it.
  assertDone(await app.logout(token))
  await app.assertGone('A1', 'A3')
})

it('finishes a sign-out it heard while the store was away, without a second delivery [BCL-13]', async (t) => {
  const inner = memoryStore()
  let down = false
  const guard =
    <Rest extends unknown[], T>(work: (...rest: Rest) => T) =>
    (...rest: Rest): T => {
      if (down) throw new Error('connection lost')
      return work(...rest)
    }
  const store: TokenStore = {
    ...inner,
    get: guard(inner.get),
    list: guard(inner.list),
    removeAll: guard(inner.removeAll),
    insert: guard(inner.insert),
  }
  const app = await startSixSessions({ store })
  const token = await app.provider.logoutToken({ session: S1 })
  down = true
  await assertRefused(await app.logout(token))
  down = false
  // Closing tries once more what is waiting, without waiting for the next pause.
  await app.auth.close()
  t.after(app.close)
  const second = app.another()
  assert.equal(await second.session(app.as(app.browsers.A1)), undefined)
  assert.equal((await second.session(app.as(app.browsers.B1)))?.subject, 'U2')
})
