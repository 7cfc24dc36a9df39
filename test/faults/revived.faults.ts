import assert from 'node:assert/strict'
import { it, type TestContext } from 'node:test'
import { Redis } from 'ioredis'
import { redisStore } from '#coatcheck/stores/redis'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import { generateKey } from '#coatcheck/testing/provider/keys'
import { seedSessions } from '../processes/seed.ts'
import { type Replicated, startReplicated } from '../servers/replicated.ts'
import { until } from '../servers/until.ts'
import { type Crew, startCrew } from './crew.ts'
import { createRandom } from './random.ts'

/** So many sign-outs that were answered; then it is enough. */
const ANSWERED = 200
/** Of one failover. */
const AT_ONCE = 25
const PATIENT = { timeout: 600_000 }

it(
  'revives nobody whose logout was answered before a failover, with confirmReplicas: 1',
  PATIENT,
  async (t) => {
    const { revived } = await failOver(t, 1)
    assert.equal(revived, 0)
  },
)

it('says how many are revived without confirmReplicas, and for how long', PATIENT, async (t) => {
  const { revived } = await failOver(t, 0)
  // Otherwise the other test shows nothing.
  assert.ok(revived > 0)
})

/**
 * Logouts while the replica does not follow; the primary is killed as soon as most are answered.
 * Whoever was answered makes the next request until some process can say who it is.
 */
async function failOver(t: TestContext, confirmReplicas: number): Promise<{ revived: number }> {
  const seed = Number(process.env['COATCHECK_SEED'] ?? Math.floor(Math.random() * 1e9))
  const random = createRandom(seed)
  const { servers, crew, provider } = await start(t, random, confirmReplicas)
  const counts = { seed, failovers: 0, answered: 0, unanswered: 0, revived: 0, longest: 0 }
  while (counts.answered < ANSWERED) {
    const names = Array.from({ length: AT_ONCE }, (_, at) => `${counts.failovers}-${at}`)
    const cookies = await seeded(servers, provider, names)
    const tokens = await Promise.all(
      names.map((name) => provider.logoutToken({ session: { sub: name, sid: `sid-${name}` } })),
    )
    const primary = await servers.primary()
    const replicas = servers.nodes.filter((node) => node !== primary)
    // What the primary tells it now is for nobody: it reads nothing, and its connection is gone.
    for (const replica of replicas) replica.pause()
    await primary.ask('CLIENT', 'KILL', 'TYPE', 'replica')

    const answered = new Set<number>()
    const most = Promise.withResolvers<void>()
    const logouts = tokens.map(async (token, at) => {
      const status = await crew.ask(crew.any(), { ask: 'logout', token }).catch(() => undefined)
      if (status !== 200) return
      answered.add(at)
      if (answered.size >= 0.8 * AT_ONCE) most.resolve()
    })
    if (confirmReplicas > 0) for (const replica of replicas) replica.resume()
    await Promise.race([most.promise, Promise.all(logouts)])
    const inTime = new Set(answered)
    await primary.kill()
    for (const replica of replicas) replica.resume()
    const killed = performance.now()
    // A replica that was out of touch is not promoted on demand: the Sentinels have to do it by themselves.
    const failover = servers.newPrimaryNow(primary).catch(() => servers.newPrimary(primary))
    const asked = Promise.all(
      [...inTime].map(async (at) => {
        const cookie = cookies[at] ?? ''
        let first: unknown
        await until(`session ${names[at]} is over`, async () => {
          const answer = await crew.ask(crew.any(), { ask: 'session', cookie })
          if (typeof answer === 'object') return false
          first ??= answer ?? 'over'
          return answer === undefined
        })
        if (first === 'over') return
        counts.revived += 1
        counts.longest = Math.max(counts.longest, Math.round(performance.now() - killed))
      }),
    )
    await Promise.all([asked, failover, ...logouts])
    await servers.bringBack(primary)
    counts.failovers += 1
    counts.answered += inTime.size
    counts.unanswered += AT_ONCE - inTime.size
  }
  const { failovers, answered, unanswered, revived, longest } = counts
  t.diagnostic(
    `confirmReplicas: ${confirmReplicas}, seed ${seed}: ${answered} logouts answered with 200 ` +
      `(${unanswered} not, or too late) and ${failovers} failovers right after them; revived: ` +
      `${revived}${revived > 0 ? `, until at most ${longest} ms after the primary died` : ''}`,
  )
  return { revived }
}

async function start(
  t: TestContext,
  random: ReturnType<typeof createRandom>,
  confirmReplicas: number,
): Promise<{ servers: Replicated; crew: Crew; provider: TestProvider }> {
  const servers = await startReplicated()
  t.after(() => servers.close())
  const provider = await startProvider({
    key: await generateKey('RSA', 'k1'),
    clients: [{ client_id: 'app', client_secret: 'secret' }],
  })
  t.after(() => provider.close())
  const crew = await startCrew({
    size: 4,
    issuer: provider.issuer,
    random,
    offset: () => 0,
    place: (nth) => ({
      kind: 'sentinels',
      driver: nth % 2 === 0 ? 'ioredis' : 'node-redis',
      name: servers.name,
      nodes: servers.sentinels,
      ways: {},
      confirmReplicas,
    }),
  })
  t.after(() => crew.close())
  return { servers, crew, provider }
}

/** One session of a user each; the replica has them too. */
async function seeded(
  servers: Replicated,
  provider: TestProvider,
  names: readonly string[],
): Promise<string[]> {
  const client = new Redis((await servers.primary()).port)
  client.on('error', () => {})
  const store = redisStore(client)
  try {
    const tickets = await Promise.all(
      names.map((name) => seedSessions(store, provider.issuer, name, [name])),
    )
    await until('the replica has them', async () => (await client.wait(1, 1000)) === 1)
    return tickets.flat().map((ticket) => `__Host-coatcheck=${ticket}`)
  } finally {
    await store.close()
    client.disconnect()
  }
}
