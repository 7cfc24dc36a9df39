import type { AuthEvent } from '#coatcheck'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import type { WireResponse } from '../processes/process.ts'
import { ORIGIN } from '../support/application.ts'
import type { Member } from './crew.ts'
import type { World } from './world.ts'

/** A browser each of whose requests to the application goes to any of its processes. */
export interface CrewBrowser extends TestBrowser {
  /** Whom a request went to, and what the process told while it answered. */
  listener: {
    asked(url: URL, member: Member): void
    told(event: AuthEvent): void
  }
}

/** One without cookies. A request rejects where the process dies over it. */
export function openBrowser({ crew, provider }: World): CrewBrowser {
  const toApplication = async (request: Request): Promise<Response> => {
    const there = new URL(request.url)
    if (!there.pathname.startsWith('/auth/')) return new Response('the application')
    const member = crew.any()
    browser.listener.asked(there, member)
    const { method, url } = request
    const body = request.body === null ? undefined : await request.text()
    const wire = { method, url, headers: [...request.headers], body }
    const question = { ask: 'handle', request: wire } as const
    const answer = await crew.ask(member, question, (event) => browser.listener.told(event))
    const response = answer as WireResponse | { readonly code: string }
    if ('code' in response) throw new Error(`The application failed: ${response.code}`)
    return new Response(response.body || null, {
      status: response.status,
      headers: response.headers.map(([name, value]): [string, string] => [name, value]),
    })
  }
  const toProvider = async (request: Request): Promise<Response> =>
    provider.fetch(request.url, {
      method: request.method,
      headers: request.headers,
      redirect: 'manual',
      ...(request.body && { body: await request.text() }),
    })
  const opened = startBrowser({
    origins: { [ORIGIN]: toApplication, [provider.issuer]: toProvider },
  })
  const browser: CrewBrowser = Object.assign(opened, { listener: { asked() {}, told() {} } })
  return browser
}
