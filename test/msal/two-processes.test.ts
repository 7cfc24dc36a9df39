import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it, type TestContext } from 'node:test'
import { createClient } from 'redis'
import { msalRemains } from '#coatcheck/msal/index'
import { redisStore } from '#coatcheck/stores/redis'
import { type RedisServer, startRedis } from '../servers/redis.ts'
import { eventually } from '../support/requests.ts'
import { type MsalApplication, startMsalApplication } from './msal-application.ts'
import type { Question, Setup, Told } from './msal-process.ts'

let redis: RedisServer & { close(): Promise<void> }
let client: ReturnType<typeof createClient>

before(async () => {
  redis = await startRedis()
  client = createClient({ url: redis.url })
  await client.connect()
})
after(async () => {
  client.destroy()
  await redis.close()
})

describe('one process refreshes while another one signs the user out', () => {
  it("MSAL's own distributed plugin brings the removed account back", async (t) => {
    const { app, one, other } = await start(t, 'own')
    const refresh = await refreshing(app, one)
    assert.deepEqual(await other.ask({ ask: 'remove' }), { answer: null })
    assert.deepEqual(await other.ask({ ask: 'accounts' }), { answer: [] })
    const minted = refresh.release()
    assert.deepEqual(await refresh.told, { answer: minted })
    // The token that came after the removal is kept, found by all, and good.
    assert.deepEqual(await other.ask({ ask: 'accounts' }), { answer: ['ada'] })
    assert.ok((await client.get('ada'))?.includes(minted))
    assert.ok(app.provider.introspect(minted))
    assert.equal((await other.ask({ ask: 'refresh' })).code, undefined)
  })

  for (const ask of ['sign_out', 'remove'] as const) {
    it(`with ours it stays gone, and the token is revoked (${ask})`, async (t) => {
      const { app, one, other } = await start(t, 'ours')
      const refresh = await refreshing(app, one)
      const answer = ask === 'sign_out' ? 1 : null
      assert.deepEqual(await other.ask({ ask }), { answer })
      const minted = refresh.release()
      assert.deepEqual(await refresh.told, { code: 'sign_in_required' })
      const accounts = ask === 'sign_out' ? { code: 'sign_in_required' } : { answer: [] }
      for (const each of [one, other]) {
        assert.deepEqual(await each.ask({ ask: 'accounts' }), accounts)
      }
      await eventually(() => app.provider.introspect(minted) === undefined, 'revoked')
    })
  }
})

describe('msalRemains as a place of the application', () => {
  it("takes what MSAL's own plugin wrote at a sign-out", async (t) => {
    const { app, one } = await start(t, 'own')
    assert.deepEqual(await one.ask({ ask: 'accounts' }), { answer: ['ada'] })
    assert.equal(await client.exists('ada'), 1)
    const { places } = await app.auth.signOut({ subject: 'ada' })
    assert.deepEqual(places, [{ name: 'msal', outcome: 'done', removed: 1 }])
    assert.equal(await client.exists('ada'), 0)
  })
})

interface Started {
  readonly app: MsalApplication
  readonly one: Process
  readonly other: Process
}

/** A user who is signed in, with MSAL too, and two processes of the application. */
async function start(t: TestContext, plugin: Setup['plugin']): Promise<Started> {
  await client.flushAll()
  const app = await startMsalApplication({
    store: redisStore(client),
    places: [
      msalRemains(client, {
        keys: ['{account}'],
        accounts: ({ sessions }) => sessions.map(({ subject }) => subject),
      }),
    ],
  })
  t.after(app.close)
  const browser = await app.signedIn({ sub: 'ada' })
  const registered = [...app.provider.clients.values()][0]
  const setup: Setup = {
    plugin,
    redis: redis.url,
    issuer: app.provider.issuer,
    clientId: registered?.client_id ?? '',
    clientSecret: registered?.client_secret ?? '',
    origin: app.origin,
    cookie: app.as(browser).headers.cookie,
    account: 'ada',
  }
  const [one, other] = await Promise.all([startProcess(t, setup), startProcess(t, setup)])
  const signedIn = await one.ask({ ask: 'code', request: await app.codeFor(browser) })
  assert.equal(signedIn.code, undefined)
  assert.deepEqual(await other.ask({ ask: 'accounts' }), { answer: ['ada'] })
  return { app, one, other }
}

/** A refresh whose answer is on its way: the provider has spent the old token and minted new ones. */
async function refreshing(
  app: MsalApplication,
  process: Process,
): Promise<{ readonly told: Promise<Heard>; release(): string }> {
  const hold = app.provider.hold('token', { grant: 'refresh_token', at: 'answer' })
  const told = process.ask({ ask: 'refresh' })
  await hold.received()
  return {
    told,
    release() {
      const minted = app.provider.issued.findLast(({ kind }) => kind === 'access_token')
      hold.release()
      assert.ok(minted)
      return minted.value
    },
  }
}

/** What a process answers; one of the two. */
interface Heard {
  readonly answer?: unknown
  readonly code?: string
}

interface Process {
  ask(question: Question): Promise<Heard>
}

async function startProcess(t: TestContext, setup: Setup): Promise<Process> {
  const child: ChildProcess = fork(new URL('./msal-process.ts', import.meta.url), {
    env: { ...process.env, SETUP: JSON.stringify(setup) },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [],
  })
  const ended = once(child, 'exit')
  t.after(async () => {
    child.disconnect()
    await ended
  })
  await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => assert.fail(`The process ended with ${code}.`)),
  ])
  return {
    async ask(question) {
      const heard = once(child, 'message')
      child.send(question)
      const [told] = (await heard) as [Told]
      return told
    },
  }
}
