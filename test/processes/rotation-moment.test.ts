import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Auth, Session, TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import { eventually, start } from '../support/requests.ts'

const K1 = 'the first key, of thirty-two bytes and more'
const K2 = 'the second key, of thirty-two bytes and more'

describe('keys that are rotated in the very moment of a sign-out', () => {
  const signOuts: Record<string, (auth: Auth, session: Session) => Promise<unknown>> = {
    'a session': (auth, session) => auth.signOut({ session }),
    'a user': (auth, { subject }) => auth.signOut({ subject }),
  }
  for (const [what, signOut] of Object.entries(signOuts)) {
    it(`lose no revocation where ${what} is named, and the session was sealed by a key that just came`, async (t) => {
      const { store, interrupt } = interruptible(memoryStore())
      const app = await start(t, { keys: [K2, K1], store })
      const browser = await app.signedIn({ sub: 'U1' })
      const session = (await app.auth.session(app.as(browser))) ?? assert.fail()
      interrupt(async () => {
        // The first process of the next stage makes a new key, and seals this session with it.
        const next = app.another({ keys: [K2] })
        await next.accessToken(app.as(browser), { forceRefresh: true })
      })
      await signOut(app.auth, session)
      const last = app.provider.issued.findLast(({ kind }) => kind === 'refresh_token')
      await eventually(
        () => app.provider.revoked.some(({ token }) => token === last?.value),
        'its refresh token is revoked',
      )
      assert.deepEqual(app.heard('record_unreadable'), [])
      assert.deepEqual(
        app.heard('signed_out').map(({ receipt }) => receipt.removed),
        [1],
      )
    })
  }

  it('do not keep a browser from finding its way back', async (t) => {
    const app = await start(t, { keys: [K2, K1] })
    // Nothing but the browser's return has it look at the keyring.
    app.provider.settings.backChannel = false
    await app.signedIn({ sub: 'U0' })
    const next = app.another({ keys: [K2] })
    const browser = await app.signedIn({ sub: 'U1' }, next)
    const fields = { return_to: '/farewell' }
    let page = await browser.post(`${app.origin}/auth/sign-out`, fields, { follow: false })
    // To the provider, and back to a process that has not seen the new key.
    page = (await browser.follow(page)) ?? assert.fail()
    const back = new URL(page.headers.get('location') ?? '')
    assert.equal(back.pathname, '/auth/signed-out')
    const cookie = browser.cookieHeader(back)
    const answer = await app.auth.handle(new Request(back, { headers: { cookie } }))
    assert.equal(answer.headers.get('location'), `${app.origin}/farewell`)
    // What waited for this is due now.
    await eventually(() => app.provider.revoked.length > 0, 'its tokens are revoked')
  })
})

/** A store before whose next removal a test may do something. */
function interruptible(inner: TokenStore): {
  readonly store: TokenStore
  interrupt(meanwhile: () => Promise<unknown>): void
} {
  let next: (() => Promise<unknown>) | undefined
  async function first(): Promise<void> {
    const meanwhile = next
    next = undefined
    await meanwhile?.()
  }
  return {
    store: {
      ...inner,
      remove: async (id, owe) => first().then(() => inner.remove(id, owe)),
      removeAll: async (marks, how) => first().then(() => inner.removeAll(marks, how)),
    },
    interrupt(meanwhile) {
      next = meanwhile
    },
  }
}
