import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemEnvironment } from '#coatcheck/core/environment'
import { owedIndex } from '#coatcheck/core/tokens/home'
import { createKeyring } from '#coatcheck/core/tokens/keyring'
import { until } from '../servers/until.ts'
import { KEY } from '../support/application.ts'
import {
  assertGone,
  assertServed,
  type Deployment,
  type Member,
  startDeployment,
  untilRevoked,
} from './deployment.ts'
import { seedSessions } from './seed.ts'
import { type SharedStore, sharedStores } from './shared-stores.ts'

/** How far the clocks of machines are off, in milliseconds: the most that a provider's tokens allow. */
const CLOCKS = [-60_000, 0, 60_000, 0]

for (const [name, startStore] of Object.entries(sharedStores)) {
  describe(`processes that share ${name}`, () => {
    let shared: SharedStore
    let deployment: Deployment
    let four: Member[]

    before(async () => {
      shared = await startStore()
      deployment = await startDeployment(shared)
      const { network, spansMachines } = shared
      const starting = CLOCKS.map((offset, nth) => {
        // The last one is behind a network of its own.
        const place = nth === 3 ? (network?.place ?? shared.place(nth)) : shared.place(nth)
        return deployment.start({ place, offset: spansMachines ? offset : 0 })
      })
      four = await Promise.all(starting)
    })
    after(async () => {
      await deployment.close()
      await shared.close()
    })

    it('spend one refresh token once for a hundred callers [TOK-2]', async () => {
      const { provider } = deployment
      const [first, ...others] = four
      assert.ok(first)
      // By its clock, the slowest, it has ended when it comes; so it has by all others.
      provider.settings.accessTokenSeconds = 1
      const { cookie } = await deployment.signIn('caller', first, first)
      provider.settings.accessTokenSeconds = 300
      const hold = provider.hold('token', { times: 1 })
      const ask = (by: Member): Promise<unknown>[] =>
        Array.from({ length: 25 }, () => by.ask({ ask: 'accessToken', cookie }))
      const early = ask(first)
      const { release } = await hold.received()
      const late = others.flatMap(ask)
      // Messages arrive in their order: when these are answered, all others are waiting.
      for (const one of others) await one.ask({ ask: 'sessions', subject: 'nobody' })
      release()
      const answers = await Promise.all([...early, ...late])
      assert.equal(answers.length, 100)
      assert.equal(new Set(answers).size, 1)
      assert.equal(typeof answers[0], 'string')
      assert.equal(provider.count('token', 'refresh_token'), 1)
      assert.deepEqual(provider.reused, [])
    })

    it('obey one logout token once, whoever gets it, and however often', async () => {
      const { provider } = deployment
      const [first] = four
      assert.ok(first)
      const session = await deployment.signIn('repeated', ...four)
      const about = { sub: 'repeated', sid: undefined }
      const token = await provider.logoutToken({ session: about })
      const heard = (type: string): number =>
        four.flatMap(({ events }) => events).filter((event) => event.type === type).length
      const before = { repeated: heard('logout_repeated'), done: heard('signed_out') }
      assert.equal(await first.ask({ ask: 'logout', token }), 200)
      await assertGone(session, four)
      for (let time = 0; time < 3; time += 1) {
        const again = four.map((one) => one.ask({ ask: 'logout', token }))
        assert.deepEqual(await Promise.all(again), [200, 200, 200, 200])
      }
      assert.equal(heard('logout_repeated') - before.repeated, 12)
      assert.equal(heard('signed_out') - before.done, 1)
    })

    it('end a session once where all of them get its logout token at once', async () => {
      const { provider } = deployment
      const session = await deployment.signIn('at once', ...four)
      const token = await provider.logoutToken({
        session: { sub: session.subject, sid: session.sid },
      })
      const counted = four.map(({ events }) => events.length)
      const answers = four.map((one) => one.ask({ ask: 'logout', token }))
      assert.deepEqual(await Promise.all(answers), [200, 200, 200, 200])
      await assertGone(session, four)
      const removed = four.flatMap(({ events }, at) =>
        events.slice(counted[at]).map((event) => {
          return event.type === 'signed_out' ? event.receipt.removed : 0
        }),
      )
      assert.equal(
        removed.reduce((sum, count) => sum + count, 0),
        1,
      )
    })

    it('ask the provider once for each of hundreds of revocations, and once more where it failed', async () => {
      const { provider } = deployment
      const subjects = Array.from({ length: 300 }, (_, at) => `many-${at}`)
      for (const subject of subjects) {
        await seedSessions(shared.store, provider.issuer, subject, [subject])
      }
      const failed: string[] = []
      const forget = provider.next(
        'revocation',
        (answer, request) => {
          const token = request?.form.get('token') ?? ''
          if (failed.length === 20 || failed.includes(token)) return
          failed.push(token)
          answer.status = 503
        },
        { times: Number.POSITIVE_INFINITY },
      )
      provider.requests.length = 0
      await Promise.all(
        four.map(async (one, at) => {
          for (let next = at; next < subjects.length; next += four.length) {
            const subject = subjects[next] ?? ''
            assert.equal(await one.ask({ ask: 'signOut', selector: { subject } }), 1)
          }
        }),
      )
      await untilNothingIsOwed(shared, deployment)
      forget()
      const tokens = subjects.map((subject) => `refresh-${subject}`)
      await untilRevoked(provider, tokens)
      const asked = new Map<string, number>()
      const by = new Map<string, number>()
      for (const { endpoint, form, headers } of provider.requests) {
        if (endpoint !== 'revocation') continue
        const token = form.get('token') ?? ''
        asked.set(token, (asked.get(token) ?? 0) + 1)
        const process = headers.get('x-process') ?? ''
        by.set(process, (by.get(process) ?? 0) + 1)
      }
      const wrong = tokens.filter((token) => asked.get(token) !== (failed.includes(token) ? 2 : 1))
      assert.deepEqual(wrong, [])
      assert.equal(failed.length, 20)
      assert.equal(by.size, 4, 'one of them did nothing: the test shows too little')
    })

    it('finish a sign-out that one of them heard while it had lost the store', async (t) => {
      const { network } = shared
      const [first, , , last] = four
      if (network === undefined) return t.diagnostic('There is no network to an embedded store.')
      assert.ok(first && last)
      const session = await deployment.signIn('cut off', ...four)
      const other = await deployment.signIn('not named', ...four)
      const { sub, sid } = { sub: session.subject, sid: session.sid }
      const token = await deployment.provider.logoutToken({ session: { sub, sid } })
      await network.cut()
      assert.equal(await last.ask({ ask: 'logout', token }), 400)
      assert.ok(last.events.some(({ type }) => type === 'sign_out_deferred'))
      assert.deepEqual(await last.ask({ ask: 'session', cookie: session.cookie }), {
        code: 'store_unavailable',
      })
      await assertServed(session, [first])
      await network.restore()
      await until('the sign-out is done', async () => {
        return (await first.ask({ ask: 'session', cookie: session.cookie })) === undefined
      })
      await until('it is seen where it was heard', async () => {
        return (await last.ask({ ask: 'session', cookie: session.cookie })) === undefined
      })
      await assertGone(session, four)
      await assertServed(other, four)
    })

    it('finish what the dead left of a long sign-out, and revoke for them [INV-15]', async () => {
      const { provider } = deployment
      await Promise.all(four.map((one) => one.kill()))
      const started = [0, 45_000, 0].map((offset, nth) =>
        deployment.start({ place: shared.placeByOwnClock(nth), offset }),
      )
      const [first, second, third] = await Promise.all(started)
      assert.ok(first && second && third)
      void third
      const [bystander] = await seedSessions(shared.store, provider.issuer, 'bystander', [
        'bystander',
      ])
      void bystander
      void first
      void second
    })
  })
}

async function untilNothingIsOwed(shared: SharedStore, { provider }: Deployment): Promise<void> {
  const vault = await createKeyring(shared.store, [KEY], systemEnvironment).load()
  const index = owedIndex(vault, { issuer: provider.issuer, clientId: 'app' })
  await until('nothing is owed any more', async () => {
    return (await shared.store.list(index, { limit: 1 })).length === 0
  })
}
