import { setTimeout as pause } from 'node:timers/promises'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import type { Tally } from './tally.ts'

/** A gateway and its provider. */
export interface Deployment {
  readonly origin: string
  readonly provider: TestProvider
}

/** Of each session. */
const REQUESTS = 30
/** The provider remembers everything, which is not what is measured. */
const REMEMBERED = 1_000

/** Signs in, uses the application, opens a stream, signs out in one of three ways, and so on. */
export async function live(
  deployment: Deployment,
  user: string,
  tally: Tally,
  end: AbortSignal,
): Promise<void> {
  const { origin, provider } = deployment
  for (let time = 0; !end.aborted; time += 1) {
    const browser = startBrowser()
    const page = await browser.get(`${origin}/auth/sign-in?login_hint=${user}`)
    if (page.text !== user) {
      tally.fail(`sign-in: ${page.status} at ${page.url.pathname}`)
      continue
    }
    tally.signIns += 1
    const sid = provider.sessions.findLast(({ sub }) => sub === user)?.sid ?? ''
    const cookie = browser.cookieHeader(origin)
    const stream = await fetch(`${origin}/news`, { headers: { cookie } })
    const read = readToTheEnd(stream)
    for (let count = 0; count < REQUESTS; count += 1) {
      const response = await fetch(origin, { headers: { cookie } })
      if ((await response.text()) === user) tally.requests += 1
      else tally.fail(`signed in, and answered ${response.status}`)
    }
    await signOut(deployment, browser, { user, sid, way: time % 3 })
    tally.signOuts += 1
    await read
    tally.streams += 1
    const after = await fetch(origin, { headers: { cookie } })
    await after.arrayBuffer()
    if (after.status !== 401) tally.fail(`signed out, and answered ${after.status}`)
    if (provider.requests.length > REMEMBERED) provider.requests.length = 0
  }
}

/** By the user, by an administrator at the provider, or by one who ends everything of the user. */
async function signOut(
  { origin, provider }: Deployment,
  browser: TestBrowser,
  { user, sid, way }: { readonly user: string; readonly sid: string; readonly way: number },
): Promise<void> {
  if (way === 0) await browser.post(`${origin}/auth/sign-out`)
  else if (way === 1) await provider.endSession(sid)
  else {
    await provider.endUser(user)
    // A provider's clock ticks once a second: who comes back within it is signed out too.
    await pause(1_000)
  }
}

async function readToTheEnd({ body }: Response): Promise<void> {
  try {
    for await (const _ of body ?? []);
  } catch {
    // The connection is cut in the middle of a stream: that is its end.
  }
}
