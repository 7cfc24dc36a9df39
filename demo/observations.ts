import type { AuthEvent, SignOutReceipt } from 'coatcheck'
import { ask, type Browser, type Page } from './browser.ts'
import type { CacheView, Held } from './cache-view.ts'
import type { Demo } from './demo.ts'

/** What a process of A, or B, says that it holds. */
export async function cacheOf(demo: Demo, where: 1 | 2 | 'b'): Promise<CacheView> {
  const origin = where === 'b' ? demo.origins.b : `${demo.origins.a}/process/${where}`
  return JSON.parse((await ask(`${origin}/cache`)).body) as CacheView
}

/** How many sessions and tokens of each kind: what a person reads off the panel. */
export interface Count {
  readonly process: string
  readonly sessionsOf: Readonly<Record<string, number>>
  readonly accessTokens: number
  readonly refreshTokens: number
  readonly idTokens: number
}

export async function countOf(demo: Demo, where: 1 | 2 | 'b'): Promise<Count> {
  const view = await cacheOf(demo, where)
  const held = view.sessions.flatMap(({ holds }) => holds)
  const count = (kind: Held['kind']): number => held.filter((one) => one.kind === kind).length
  const sessionsOf: Record<string, number> = { alice: 0, bob: 0 }
  for (const { who } of view.sessions) sessionsOf[who] = (sessionsOf[who] ?? 0) + 1
  return {
    process: `${view.process} (pid ${view.pid})`,
    sessionsOf,
    accessTokens: count('access_token'),
    refreshTokens: count('refresh_token'),
    idTokens: count('id_token'),
  }
}

/** Both processes of A. */
export function bothOf(demo: Demo): Promise<[Count, Count]> {
  return Promise.all([countOf(demo, 1), countOf(demo, 2)])
}

/** Whether each of these holds exactly so many sessions of a user. */
export function holding(counts: readonly Count[], who: 'alice' | 'bob', sessions: number): boolean {
  return counts.every(({ sessionsOf }) => sessionsOf[who] === sessions)
}

/** Every event that was heard in A, by both processes. */
export async function eventsOfA(demo: Demo): Promise<AuthEvent[]> {
  const views = await Promise.all([cacheOf(demo, 1), cacheOf(demo, 2)])
  return views.flatMap(({ events }) => events.map(({ event }) => event))
}

export async function eventsOfB(demo: Demo): Promise<AuthEvent[]> {
  return (await cacheOf(demo, 'b')).events.map(({ event }) => event)
}

/** The receipts among events. */
export function receiptsOf(events: readonly AuthEvent[]): SignOutReceipt[] {
  return events.flatMap((event) => (event.type === 'signed_out' ? [event.receipt] : []))
}

/** A receipt, as far as it tells a reader something. */
export function shown(receipt: SignOutReceipt | undefined): unknown {
  if (receipt === undefined) return undefined
  const { cause, named, removed, tokens, revocationsOwed, providerSession } = receipt
  const { durationMilliseconds } = receipt
  const by = named.map((one) => one.by)
  return {
    cause,
    namedBy: by,
    removed,
    tokens,
    revocationsOwed,
    providerSession,
    durationMilliseconds,
  }
}

/** An answer of the API through an application: which process, which token, or why not. */
export function answered(demo: Demo, page: Page): Readonly<Record<string, unknown>> {
  const pid = Number(page.headers['x-answered-by'])
  const process = demo.direct.findIndex((one) => one.pid === pid) + 1
  const by = Number.isNaN(pid) ? 'B' : `A, process ${process}`
  const body = parsed(page.body)
  const { hello, accessToken, for: client, code, error } = body
  return { by, status: page.status, ...defined({ hello, accessToken, client, code, error }) }
}

/** Calls the API through one process of A, or through B. */
export function callApi(
  demo: Demo,
  user: Browser,
  where: 1 | 2 | 'b',
  fresh = false,
): Promise<Page> {
  const origin = where === 'b' ? demo.origins.b : `${demo.origins.a}/process/${where}`
  return user.json(`${origin}/call${fresh ? '?fresh=1' : ''}`)
}

/** Asks again until it is so; what happens behind an answer has five seconds. */
export async function eventually<T>(
  look: () => Promise<T>,
  good: (seen: T) => boolean,
): Promise<T> {
  const end = Date.now() + 5000
  for (;;) {
    const seen = await look()
    if (good(seen) || Date.now() > end) return seen
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
}

function parsed(body: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(body) as Record<string, unknown>
  } catch {
    return { error: 'no JSON' }
  }
}

function defined(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
