import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, startChild } from '../child.ts'
import { runLoad } from '../load.ts'
import { openBrowser } from './browser.ts'
import type { Contestant, Running, Surroundings } from './contestant.ts'
import { noFailures, type Outcome, progress } from './outcome.ts'
import { enter, type PairRow, runPairs, type UnderLoad } from './pairs.ts'
import { logOut, signInAll } from './sign-out.ts'
import type { Field } from './surroundings.ts'

/** The gateway beside a bare proxy, in one situation. */
export interface GatewayTable {
  readonly situation: string
  readonly connections: number
  /** Back-channel logouts of other users meanwhile. */
  readonly signOutsPerSecond: number
  readonly rows: readonly PairRow[]
}

/** How it is measured. */
export interface GatewaySettings {
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Of the usual load, and where there are many. */
  readonly connections: readonly [usual: number, many: number]
  readonly signOutsPerSecond: number
}

/** What the versions are of. */
export const gatewayPackages: readonly string[] = [
  'coatcheck-gateway',
  'fastify',
  '@fastify/reply-from',
  'undici',
]

/** Under the usual load, with many connections, and while users are signed out. */
export async function measureGateway(
  field: Field,
  {
    rounds,
    seconds,
    warmUpSeconds,
    connections: [usual, many],
    signOutsPerSecond,
  }: GatewaySettings,
): Promise<Outcome<GatewayTable>> {
  const failures = noFailures()
  progress('gateway: starting')
  const upstream = await startChild<string>(new URL('../gateway/upstream.ts', import.meta.url))
  const all = await Promise.all(
    ['bare', 'memory', 'lmdb'].map((place) => {
      const contestant = proxyBefore(upstream.told, place)
      return failures.attempt(contestant.name, 60, () => enter(contestant, field, 1))
    }),
  )
  const entered = all.filter((one) => one !== undefined)
  const tables: GatewayTable[] = []
  const measure = async (
    situation: string,
    connections: number,
    perSecond: number,
    underLoad?: UnderLoad,
  ): Promise<void> => {
    const settings = { rounds, seconds, warmUpSeconds, connections }
    const rows = await runPairs(`gateway, ${situation}`, entered, settings, failures, underLoad)
    tables.push({ situation, connections, signOutsPerSecond: perSecond, rows })
  }
  try {
    await measure(`${usual} connections`, usual, 0)
    await measure(`${many} connections`, many, 0)
    const churn = underChurn(field, signOutsPerSecond)
    const situation = `${usual} connections, ${signOutsPerSecond} sign-outs/s`
    await measure(situation, usual, signOutsPerSecond, churn)
  } finally {
    await upstream.close()
  }
  return { rows: tables, failed: failures.failed }
}

function proxyBefore(upstream: string, place: string): Contestant {
  const start = async ({ provider, profile }: Surroundings): Promise<Running> => {
    const env = { NODE_ENV: 'production', BENCH_PROVIDER: JSON.stringify(provider) }
    const child = await startChild<{ readonly url: string }>(
      new URL('../gateway/proxy.ts', import.meta.url),
      {
        args: [place],
        env: { ...env, BENCH_UPSTREAM: upstream },
        profile: { folder: profile, name: `gateway-${place}` },
      },
    )
    return runningAt(new URL(child.told.url), child)
  }
  const [packages, needs] = [gatewayPackages, ['build'] as const]
  if (place === 'bare') {
    return { name: 'bare proxy', setUp: 'Fastify, reply-from, undici', packages, needs, start }
  }
  return {
    name: `coatcheck gateway, ${place}`,
    bare: 'bare proxy',
    setUp: `one process, store ${place}`,
    packages,
    needs,
    start,
  }
}

function runningAt({ origin, pathname, href }: URL, { cpu, close }: Child<unknown>): Running {
  const answer: Running['answer'] = async (cookie) => {
    const response = await fetch(href, { headers: { cookie } })
    await response.arrayBuffer()
    // The application behind it does not say who it is.
    return response.status === 200 ? { sub: '', length: 0 } : undefined
  }
  return {
    urls: [origin],
    path: pathname,
    answer,
    cpu,
    close,
    backchannel: `${origin}/auth/backchannel-logout`,
    async signIn(user) {
      const browser = openBrowser(user)
      await browser.visit(`${origin}/auth/sign-in?return_to=/auth/session`)
      const cookie = browser.cookie(href)
      if ((await answer(cookie)) === undefined) throw new Error(`${user} is not signed in.`)
      return cookie
    },
  }
}

/** Signs others out meanwhile, who were signed in before for real, and have to be out afterwards. */
function underChurn({ oidc }: Field, perSecond: number): UnderLoad {
  return async ({ target, running, contestant }, settings) => {
    if (contestant.bare === undefined) return runLoad(target, settings)
    const subs = Array.from({ length: Math.ceil(settings.seconds * perSecond) }, () =>
      randomBytes(8).toString('hex'),
    )
    const leaving = await signInAll(running, subs)
    // What is issued in the second of the sign-in may be taken for older than it.
    await sleep(1_100)
    const tokens = await oidc.logoutTokens(leaving.map(({ session }) => session))
    const [run] = await Promise.all([
      runLoad(target, settings),
      ...tokens.map(async (token, at) => {
        await sleep((at * 1_000) / perSecond)
        await logOut(running, token)
      }),
    ])
    for (const { cookie } of leaving) {
      if ((await running.answer(cookie)) !== undefined) throw new Error('Still signed in.')
    }
    return run
  }
}
