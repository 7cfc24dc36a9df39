import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { open } from 'lmdb'
import { lmdbOptions, lmdbStore } from '#coatcheck/stores/lmdb'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import { startApplication } from '../support/application.ts'
import { type Process, startProcess } from './processes.ts'
import { seedSessions } from './seed.ts'

/** Fifty processes are started and killed, each of which takes a second or more to start. */
const PATIENT = { timeout: 400_000 }

/** An LMDB environment and a provider on a real socket. */
async function start(t: TestContext): Promise<{
  folder: string
  store: ReturnType<typeof lmdbStore>
  provider: TestProvider
  processes: (count: number, offset?: number) => Promise<Process[]>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'coatcheck-test-'))
  const database = open({ path: folder, ...lmdbOptions })
  const provider = await startProvider({ clients: [{ client_id: 'app', client_secret: 'secret' }] })
  const started: Process[] = []
  t.after(async () => {
    for (const one of started) await one.kill()
    await provider.close()
    await database.close()
    await rm(folder, { recursive: true })
  })
  return {
    folder,
    store: lmdbStore(database),
    provider,
    async processes(count, offset = 0) {
      const starting = Array.from({ length: count }, () =>
        startProcess({ place: { kind: 'lmdb', folder }, issuer: provider.issuer, offset }),
      )
      const more = await Promise.all(starting)
      started.push(...more)
      return more
    },
  }
}

it('lets a hundred callers in four processes spend one refresh token once [TOK-2]', async (t) => {
  const { store, provider, processes } = await start(t)
  const applications = new Map<string, never>()
  const app = await startApplication({
    store,
    given: { provider: Object.assign(provider, { applications }) },
  })
  t.after(() => app.auth.close())
  const { cookie } = app.as(await app.signedIn()).headers
  const four = await processes(4, 301_000)
  const callers = Array.from({ length: 100 }, (_, at) =>
    four[at % 4]?.ask({ ask: 'accessToken', cookie }),
  )
  const answers = await Promise.all(callers)
  assert.equal(new Set(answers).size, 1)
  assert.equal(typeof answers[0], 'string')
  assert.equal(provider.count('token', 'refresh_token'), 1)
  assert.deepEqual(provider.reused, [])
})

it('has none of four processes serve after the 200 of a logout [INV-1]', async (t) => {
  const { store, provider, processes } = await start(t)
  const four = await processes(4)
  for (let round = 0; round < 25; round += 1) {
    const subject = `U${round}`
    const [ticket] = await seedSessions(store, provider.issuer, subject, [`round-${round}`])
    const cookie = `__Host-coatcheck=${ticket}`
    for (const one of four) assert.equal(await one.ask({ ask: 'session', cookie }), subject)
    const session = { sub: subject, sid: `sid-round-${round}` }
    const token = await provider.logoutToken({ session })
    assert.equal(await four[round % 4]?.ask({ ask: 'logout', token }), 200)
    const after = four.map((one) => one.ask({ ask: 'session', cookie }))
    assert.deepEqual(await Promise.all(after), [undefined, undefined, undefined, undefined])
  }
})

it(
  'finishes a sign-out of many sessions that kill -9 cut off, fifty times [INV-15, BCL-15]',
  PATIENT,
  async (t) => {
    const { store, provider, processes } = await start(t)
    // Its clock is ahead: to it, whoever began has had the time to finish, and claims of the dead are over.
    const [survivor] = await processes(1, 150_000)
    assert.ok(survivor)
    const left = (subject: string): Promise<number> =>
      survivor.ask({ ask: 'sessions', subject }).then(Number)
    const counts = { answered: 0, cutOff: 0, notBegun: 0 }
    let next = processes(1)
    for (let round = 0; round < ROUNDS; round += 1) {
      const subject = `U${round}`
      const names = Array.from({ length: MANY }, (_, at) => `${round}-${at}`)
      await seedSessions(store, provider.issuer, subject, names)
      const [victim] = await next
      assert.ok(victim)
      next = processes(1)
      // It knows the provider and its keys by then: the sign-out itself is what is cut off.
      const stranger = await provider.logoutToken({ session: { sub: 'nobody', sid: 'none' } })
      assert.equal(await victim.ask({ ask: 'logout', token: stranger }), 200)

      const token = await provider.logoutToken({ session: { sub: subject, sid: undefined } })
      let status: unknown
      const answer = victim.ask({ ask: 'logout', token }).then(
        (answered) => {
          status = answered
        },
        () => undefined,
      )
      const until = Math.random() * 1.1 * MANY - 0.1 * MANY
      while (status === undefined && (await left(subject)) > until);
      await victim.kill()
      await answer
      const remaining = await left(subject)
      if (status === 200) assert.equal(remaining, 0, 'answered, and something was left')
      const outcome = status === 200 ? 'answered' : remaining === MANY ? 'notBegun' : 'cutOff'
      counts[outcome] += 1
      // Where nothing was begun the provider, which got no 200, has to say it again.
      if (outcome === 'notBegun') assert.equal(await survivor.ask({ ask: 'logout', token }), 200)
      if (outcome === 'cutOff') {
        // Any removal wakes the worker, which then finds what is unfinished.
        await seedSessions(store, provider.issuer, `bell-${round}`, [`bell-${round}`])
        await survivor.ask({ ask: 'signOut', selector: { subject: `bell-${round}` } })
      }
      while ((await left(subject)) > 0);
    }
    await next
    t.diagnostic(JSON.stringify(counts))
    assert.ok(counts.cutOff > 0, 'no sign-out was cut off: the test shows nothing')
    await untilRevoked(provider, ROUNDS * MANY)
  },
)

const ROUNDS = 50
/** Two steps of the removal. */
const MANY = 150

/** What was cut off may be revoked twice; what is not revoked at all never ends this. */
async function untilRevoked(provider: TestProvider, expected: number): Promise<void> {
  const revoked = new Set<string | null>()
  for (let seen = 0; revoked.size < expected; seen += 1) {
    const request = await provider.received('revocation', seen + 1)
    const token = request.form.get('token')
    if (!token?.includes('bell')) revoked.add(token)
  }
}

it('signs out a user with 10,000 sessions completely, and answers others meanwhile [BCL-16, INV-15]', async (t) => {
  const { store, provider, processes } = await start(t)
  const names = Array.from({ length: 10_000 }, (_, at) => `many-${at}`)
  await seedSessions(store, provider.issuer, 'U1', names)
  const [ticket] = await seedSessions(store, provider.issuer, 'U2', ['other'])
  const cookie = `__Host-coatcheck=${ticket}`
  const [one] = await processes(1)
  assert.ok(one)
  const token = await provider.logoutToken({ session: { sub: 'U1', sid: undefined } })
  let done = false
  const began = performance.now()
  const logout = one.ask({ ask: 'logout', token }).finally(() => {
    done = true
  })
  let served = 0
  while (!done) {
    assert.equal(await one.ask({ ask: 'session', cookie }), 'U2')
    served += 1
  }
  assert.equal(await logout, 200)
  t.diagnostic(
    `${Math.round(performance.now() - began)} ms, ${served} other requests answered meanwhile`,
  )
  assert.ok(served > 10)
  assert.equal(await one.ask({ ask: 'sessions', subject: 'U1' }), 0)
})
