import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemEnvironment } from '#coatcheck/core/environment'
import { sessionIdOfHandle } from '#coatcheck/core/session/ticket'
import { owedIndex } from '#coatcheck/core/tokens/home'
import { createKeyring, secretsIn } from '#coatcheck/core/tokens/keyring'
import { fromBytes } from '#coatcheck/core/tokens/ring'
import type { StoredEntry } from '#coatcheck/core/tokens/store'
import { createVault } from '#coatcheck/core/tokens/vault'
import { until } from '../servers/until.ts'
import { ORIGIN } from '../support/application.ts'
import { type Crowd, createCrowd } from './crowd.ts'
import {
  assertGone,
  assertServed,
  type Deployment,
  handle,
  type Member,
  signOutWays,
  startDeployment,
} from './deployment.ts'
import { type SharedStore, sharedStores } from './shared-stores.ts'

const K1 = 'the first key, of thirty-two bytes and more'
const K2 = 'the second key, of thirty-two bytes and more'
const OTHER = 'a key of somebody else, of thirty-two bytes'

/** The stages of a rotation. Two that follow each other run at the same time. */
const STAGES = [[K1], [K2, K1], [K2]]

/** First starts at the same moment, each on a store without a keyring. */
const STARTS = 8

const ways = Object.keys(signOutWays)

for (const [name, startStore] of Object.entries(sharedStores)) {
  describe(`keys that are rotated under processes that share ${name}`, () => {
    let shared: SharedStore
    let deployment: Deployment
    let members: Member[]
    let crowd: Crowd
    /** The keyring before the rotation, as an old copy of the store has it. */
    let oldKeyring: Uint8Array
    const stages = new Map<string, number>()
    /** Whom the provider does not answer. */
    let unanswered: Member | undefined
    /** On which stage the process was that had a token revoked. */
    const revokedOn = new Map<string, number>()

    before(async () => {
      shared = await startStore()
      deployment = await startDeployment(shared)
      members = await Promise.all([0, 1, 2].map(() => startAt(0)))
      crowd = createCrowd(deployment, {
        get members() {
          return members
        },
        stageOf: (member) => stages.get(member.name) ?? assert.fail(),
      })
      deployment.provider.next(
        'revocation',
        (answer, request) => {
          const process = request?.headers.get('x-process') ?? ''
          if (process === unanswered?.name) answer.status = 503
          else revokedOn.set(request?.form.get('token') ?? '', stages.get(process) ?? -1)
        },
        { times: Number.POSITIVE_INFINITY },
      )
    })
    after(async () => {
      await deployment.close()
      await shared.close()
    })

    async function startAt(stage: number): Promise<Member> {
      const place = shared.placeByOwnClock(stages.size)
      const member = await deployment.start({ place, keys: STAGES[stage] ?? [] })
      stages.set(member.name, stage)
      return member
    }

    async function begin(member: Member, keys: readonly string[]): Promise<void> {
      await member.ask({ ask: 'stop' })
      await member.ask({ ask: 'begin', keys })
    }

    /** One ends in peace and begins anew, or is killed while another is there already. */
    async function replace(at: number, stage: number): Promise<void> {
      const before = members[at] ?? assert.fail()
      if (at < 2) {
        await begin(before, STAGES[stage] ?? [])
        stages.set(before.name, stage)
      } else {
        const next = await startAt(stage)
        await before.kill()
        members = members.with(at, next)
      }
    }

    /**
     * Some life, each kind of sign-out in one of two rolls, and then one process gives way to
     * another. What it still owed is left to others.
     */
    async function roll(at: number, stage: number): Promise<void> {
      unanswered = members[at]
      await live(ways.filter((_, nth) => nth % 2 === at % 2))
      const travellers = await crowd.depart()
      await replace(at, stage)
      await travellers.comeBack()
    }

    async function live(by: readonly string[] = ways): Promise<void> {
      await crowd.arrive(by)
      await crowd.refresh()
      await crowd.leave(by)
    }

    it('are one keyring where all start for the first time at the same moment, again and again', async () => {
      for (let round = 0; round < STARTS; round += 1) {
        await Promise.all(members.map((one) => one.ask({ ask: 'stop' })))
        await shared.empty()
        // Where the next key is on its way already, the first to start may be any of them.
        const keys = members.map((_, at) => (at < round % 4 ? [K2, K1] : [K1]))
        const begun = members.map((one, at) => one.ask({ ask: 'begin', keys: keys[at] ?? [] }))
        // Asked before anybody has begun: who signs in is one of the first to need the keyring.
        const people = members.map((one, at) =>
          deployment.signIn(`first-${round}-${at}`, one, members[(at + 1) % 3] ?? one),
        )
        await Promise.all(begun)
        for (const [at, person] of (await Promise.all(people)).entries()) {
          await assertServed(person, members)
          const hearer = members[(at + 2) % 3] ?? assert.fail()
          await hearer.ask({ ask: 'signOut', selector: { subject: person.subject } })
          await assertGone(person, members)
        }
      }
      await Promise.all(members.map((one) => one.ask({ ask: 'stop' })))
      await shared.empty()
      await Promise.all(members.map((one) => one.ask({ ask: 'begin', keys: [K1] })))
    })

    it('lose no session and no sign-out while the next one comes', async () => {
      for (const at of members.keys()) await roll(at, 1)
      oldKeyring = (await shared.store.get('k')) ?? assert.fail()
      await live()
    })

    it('may be put back, and the last one may go where no process is left that knows no other', async () => {
      const [first, second, third] = members
      assert.ok(first && second && third)
      await begin(third, [K1])
      const everybody = [...members]
      const early = await deployment.signIn('put back', first, third)
      await assertServed(early, everybody)
      // Two stages are skipped here: one process knows nothing but what the other does not know.
      await begin(first, [K2])
      const late = await deployment.signIn('new key', second, first)
      const other = await deployment.signIn('new key too', first, second)
      await assertServed(late, [first, second])
      await assertServed(early, [first, second])
      const { cookie, subject, sid } = late
      const unknown = { code: 'keys_unknown' }
      assert.deepEqual(await third.ask({ ask: 'session', cookie }), unknown)
      assert.deepEqual(await third.ask({ ask: 'signOut', selector: { subject } }), unknown)
      const token = await deployment.provider.logoutToken({ session: { sub: subject, sid } })
      assert.equal(await third.ask({ ask: 'logout', token }), 400)
      const signIn = new Request(`${ORIGIN}/auth/sign-in`)
      assert.equal((await handle(third, signIn)).status, 503)
      await assertServed(late, [first, second])
      // What it refused is done where it is said again, and it serves nobody who was signed out.
      assert.equal(await second.ask({ ask: 'logout', token }), 200)
      await assertGone(late, [first, second])
      await first.ask({ ask: 'signOut', selector: { subject: early.subject } })
      await assertGone(early, everybody)
      await begin(first, [K2, K1])
      await begin(third, [K2, K1])
      await assertServed(other, everybody)
    })

    it('lose no session and no sign-out while the old one goes', async () => {
      for (const at of members.keys()) await roll(at, 2)
      unanswered = undefined
      await live()
      await Promise.all(crowd.staying.map((person) => assertServed(person, members)))
    })

    it('had each kind of sign-out heard on each stage, of sessions made on the other', () => {
      const pairs = [
        [0, 1],
        [1, 0],
        [1, 2],
        [2, 1],
      ]
      for (const way of ways) {
        for (const [heard, made] of pairs) {
          const found = crowd.departures.some(
            (one) => one.way === way && one.stage === heard && one.person.stage === made,
          )
          assert.ok(found, `${way}: heard on stage ${heard} of a session made on stage ${made}`)
        }
      }
    })

    it('had every revocation done that one stage owed, by another where need was', async () => {
      // Whoever was killed may have claimed some of it: to all clocks that is over now.
      const later = { ask: 'forward', milliseconds: 130_000 } as const
      await Promise.all(members.map((one) => one.ask(later)))
      await untilNothingIsOwed()
      const { issued } = deployment.provider
      const lastOf = (subject: string): string =>
        issued.findLast(({ kind, sub }) => kind === 'refresh_token' && sub === subject)?.value ??
        assert.fail(`${subject} had no token`)
      const handedOn = new Set<string>()
      for (const { way, person, stage } of crowd.departures) {
        const by = revokedOn.get(lastOf(person.subject))
        // Nobody signed a front-channel request: it revokes nothing.
        assert.equal(by === undefined, way === 'front-channel', `${person.subject}, ${way}`)
        handedOn.add(`${stage} to ${by}`)
      }
      assert.ok(handedOn.has('0 to 1'))
      assert.ok(handedOn.has('1 to 2'))
      for (const { subject } of crowd.staying) assert.equal(revokedOn.has(lastOf(subject)), false)
    })

    it('leave readable what the old one sealed, and let it open nothing new', async () => {
      const secrets = secretsIn(fromBytes(oldKeyring), [K1])
      const thief = createVault(secrets, systemEnvironment.random)
      const [oldest, ...others] = crowd.staying
      const refreshed = others.at(-1)
      const [first, second, third] = members
      assert.ok(oldest && refreshed && first && second && third)
      const read = async (session: string): Promise<unknown> => {
        const id = sessionIdOfHandle(session)
        const bytes = (await shared.store.get(id)) ?? assert.fail()
        return thief.open('session', id, bytes).content
      }
      assert.ok(await read(oldest.handle), 'it was sealed anew: the test shows nothing')
      await assertServed(oldest, members)

      const { cookie } = oldest
      await first.ask({ ask: 'accessToken', cookie, force: true })
      assert.equal(await read(oldest.handle), undefined)
      const fresh = await deployment.signIn('fresh', second, third)
      assert.equal(await read(fresh.handle), undefined)
      // What is owed, and what is under way.
      deployment.provider.next('revocation', { status: 503 })
      await first.ask({ ask: 'signOut', selector: { subject: 'fresh' } })
      for (const { id, value } of await owed()) {
        assert.equal(thief.open('work', id, value).content, undefined)
      }
      const { browser } = deployment.browser(second)
      await browser.get(`${ORIGIN}/auth/sign-in`, { follow: false })
      const [pending] = browser.cookies
      assert.ok(pending)
      const sealed = Buffer.from(pending.value, 'base64url')
      const opened = thief.open('pending_sign_in', pending.name, sealed)
      assert.deepEqual(opened, { reason: 'unknown_key' })
    })

    it('are told from one of somebody else, with which a process serves and destroys nothing', async () => {
      const [first, second, third] = members
      assert.ok(first && second && third)
      const person = await deployment.signIn('untouched', first, second)
      const keyring = await shared.store.get('k')
      await begin(third, [OTHER])
      const { cookie, subject, sid, handle: session } = person
      const unknown = { code: 'keys_unknown' }
      assert.deepEqual(await third.ask({ ask: 'session', cookie }), unknown)
      assert.deepEqual(await third.ask({ ask: 'accessToken', cookie }), unknown)
      assert.deepEqual(await third.ask({ ask: 'sessions', subject }), unknown)
      for (const selector of [{ session }, { sid }, { subject }]) {
        assert.deepEqual(await third.ask({ ask: 'signOut', selector }), unknown)
      }
      const token = await deployment.provider.logoutToken({ session: { sub: subject, sid } })
      assert.equal(await third.ask({ ask: 'logout', token }), 400)
      const query = new URLSearchParams({ iss: deployment.provider.issuer, sid })
      const headers = { cookie, origin: ORIGIN, 'sec-fetch-site': 'same-origin' }
      const requests = [
        new Request(`${ORIGIN}/auth/sign-in`),
        new Request(`${ORIGIN}/auth/frontchannel-logout?${query}`),
        new Request(`${ORIGIN}/auth/sign-out`, { method: 'POST', headers }),
      ]
      for (const request of requests) {
        const answer = await handle(third, request)
        assert.equal(answer.status, 503, request.url)
        assert.deepEqual(answer.headers.getSetCookie(), [])
      }
      assert.deepEqual(await shared.store.get('k'), keyring)
      await begin(third, [K2])
      for (const one of [person, ...crowd.staying]) await assertServed(one, members)
    })

    async function owed(): Promise<StoredEntry[]> {
      const vault = await createKeyring(shared.store, [K2], systemEnvironment).load()
      const home = { issuer: deployment.provider.issuer, clientId: 'app' }
      return shared.store.list(owedIndex(vault, home), { limit: 1000 })
    }

    function untilNothingIsOwed(): Promise<true> {
      return until('nothing is owed any more', async () => (await owed()).length === 0)
    }
  })
}
