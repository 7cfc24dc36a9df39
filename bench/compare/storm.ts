import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contestant, Running } from './contestant.ts'
import { noFailures, type Outcome, progress } from './outcome.ts'
import type { Field } from './surroundings.ts'
import { type Answer, ROUTE } from './task.ts'

/** What became of requests whose users' access tokens were all over at once. */
export interface StormRow {
  readonly name: string
  readonly setUp: string
  readonly processes: number
  readonly requests: number
  readonly users: number
  /** That the provider did; as many as users are needed. */
  readonly refreshes: number
  /** That the provider refused. */
  readonly refused: number
  /** Requests that did not get an access token. */
  readonly errors: number
  /** Users who were signed out by it. */
  readonly lost: number
  readonly p50Milliseconds: number
  readonly p99Milliseconds: number
}

/** How it is measured. */
export interface StormSettings {
  readonly processes: number
  readonly requests: number
  readonly users: number
}

/** One after the other: each signs its users in, waits until their tokens are over, and is asked. */
export async function measureStorm(
  contestants: readonly Contestant[],
  field: Field,
  settings: StormSettings,
): Promise<Outcome<StormRow>> {
  const { attempt, failed } = noFailures()
  const rows: StormRow[] = []
  for (const contestant of contestants) {
    progress(`refresh storm: ${contestant.name}`)
    const row = await attempt(contestant.name, 180, async () => {
      const running = await contestant.start(field, settings.processes)
      try {
        return await stormOne(contestant, running, field, settings)
      } finally {
        await running.close()
        await field.oidc.setLifetime(DAY_SECONDS)
      }
    })
    if (row !== undefined) rows.push(row)
  }
  return { rows, failed }
}

async function stormOne(
  { name, setUp }: Contestant,
  running: Running,
  { oidc }: Field,
  { processes, requests, users }: StormSettings,
): Promise<StormRow> {
  const cookies: string[] = []
  for (let at = 0; at < users; at++) {
    // Long enough to be seen signed in; the last one waits no longer than the others did.
    await oidc.setLifetime(SHORT_SECONDS)
    cookies.push(await running.signIn(`storm-${at}`))
  }
  await sleep(SHORT_SECONDS * 1000)
  await oidc.setLifetime(DAY_SECONDS)
  await oidc.refreshes()

  const agent = new Agent({ keepAlive: true })
  const asked = Array.from({ length: requests }, (_, at) => {
    const process = Math.floor(at / users) % processes
    return ask(`${running.urls[process]}${ROUTE}`, cookies[at % users] ?? '', agent)
  })
  const answers = await Promise.all(asked)
  agent.destroy()
  const { refreshes, refused } = await oidc.refreshes()
  let lost = 0
  for (const cookie of cookies) if ((await running.answer(cookie)) === undefined) lost += 1

  const times = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b)
  const at = (part: number): number => Math.round(times[Math.floor(times.length * part)] ?? 0)
  return {
    name,
    setUp,
    processes,
    requests,
    users,
    refreshes,
    refused,
    errors: answers.filter(({ good }) => !good).length,
    lost,
    p50Milliseconds: at(0.5),
    p99Milliseconds: at(0.99),
  }
}

function ask(
  url: string,
  cookie: string,
  agent: Agent,
): Promise<{ readonly good: boolean; readonly milliseconds: number }> {
  const start = performance.now()
  return new Promise((resolve) => {
    const done = (good: boolean): void => resolve({ good, milliseconds: performance.now() - start })
    const asked = request(url, { headers: { cookie }, agent }, async (response) => {
      let text = ''
      for await (const part of response.setEncoding('utf8')) text += part
      done(response.statusCode === 200 && (JSON.parse(text) as Answer).length > 0)
    })
    // An error is one of those that are counted.
    asked.on('error', () => done(false))
    asked.end()
  })
}

const DAY_SECONDS = 86_400
const SHORT_SECONDS = 5
