import assert from 'node:assert/strict'
import { handleOf, sessionIdOfTicket } from '#coatcheck/core/session/ticket'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import { generateKey } from '#coatcheck/testing/provider/keys'
import { ORIGIN } from '../support/application.ts'
import type { Setup, WireResponse } from './process.ts'
import { type Process, startProcess } from './processes.ts'
import type { SharedStore } from './shared-stores.ts'

/** A process with a name that the provider sees in its requests. */
export interface Member extends Process {
  readonly name: string
}

/** A provider and the processes of one application on one store. */
export interface Deployment {
  readonly provider: TestProvider
  /** Starts the next process. */
  start(setup?: Partial<Setup>): Promise<Member>
  /**
   * Signs a user in, each request of the browser going to the next of these processes in turn:
   * the first is asked for the sign-in, the second with the callback.
   */
  signIn(subject: string, ...by: readonly Member[]): Promise<SignedIn>
  /** A browser without cookies, whose requests go to these processes in turn. */
  browser(...by: readonly Member[]): Visitor
  close(): Promise<void>
}

/** Somebody in front of a browser. */
export interface Visitor {
  readonly browser: TestBrowser
  /** Who answers its next requests, in turn. */
  askNext(...by: readonly Member[]): void
}

/** Somebody who signed in. */
export interface SignedIn extends Visitor {
  readonly subject: string
  readonly sid: string
  readonly cookie: string
  readonly handle: string
}

const signingKey = generateKey('RSA', 'k1')

/** Without any process yet. */
export async function startDeployment(shared: SharedStore): Promise<Deployment> {
  const provider = await startProvider({
    key: await signingKey,
    clients: [{ client_id: 'app', client_secret: 'secret' }],
    // Each test says itself who is told of a sign-out.
    settings: { backChannel: false },
  })
  const members = new Set<Member>()
  let started = 0

  function browserBy(first: readonly Member[]): Visitor {
    let by = first
    let asked = 0
    const browser = startBrowser({
      origins: {
        [provider.issuer]: async (request) =>
          provider.fetch(request.url, {
            method: request.method,
            headers: request.headers,
            redirect: 'manual',
            ...(request.body && { body: await request.text() }),
          }),
        async [ORIGIN](request) {
          if (!new URL(request.url).pathname.startsWith('/auth/')) {
            return new Response('the application')
          }
          return handle(by[asked++ % by.length] ?? assert.fail('Nobody to ask.'), request)
        },
      },
    })
    const askNext = (...next: readonly Member[]): void => {
      by = next
      asked = 0
    }
    return { browser, askNext }
  }

  return {
    provider,
    async start(setup = {}) {
      const nth = started++
      const name = `p${nth}`
      const { place = shared.place(nth), ...rest } = setup
      const process = await startProcess({ issuer: provider.issuer, name, ...rest, place })
      const member = { ...process, name }
      members.add(member)
      return member
    },
    async signIn(subject, ...by) {
      const sid = `S-${subject}`
      provider.users.set(subject, { sub: subject, sid })
      const { browser, askNext } = browserBy(by)
      const page = await browser.get(`${ORIGIN}/auth/sign-in?login_hint=${subject}`)
      assert.equal(page.status, 200, `sign-in ended with ${page.status}: ${page.text}`)
      const ticket = browser.cookies.find(({ name }) => name === '__Host-coatcheck')
      assert.ok(ticket, 'signed in without a ticket')
      return {
        ...{ subject, sid, browser, askNext },
        cookie: `__Host-coatcheck=${ticket.value}`,
        handle: handleOf(sessionIdOfTicket(ticket.value)),
      }
    },
    browser: (...by) => browserBy(by),
    async close() {
      await Promise.all([...members].map((member) => member.kill()))
      await provider.close()
    },
  }
}

/** Sends a request to a process. Throws where the process has no answer to it. */
export async function handle(member: Member, request: Request): Promise<Response> {
  const { method, url } = request
  const body = request.body === null ? undefined : await request.text()
  const wire = { method, url, headers: [...request.headers], body }
  const answer = (await member.ask({ ask: 'handle', request: wire })) as WireResponse
  assert.equal(typeof answer.status, 'number', JSON.stringify(answer))
  return new Response(answer.body || null, {
    status: answer.status,
    headers: answer.headers.map(([name, value]): [string, string] => [name, value]),
  })
}

/** Each way in which a session can be signed out, by whoever hears of it. */
export const signOutWays: Readonly<
  Record<string, (deployment: Deployment, hearer: Member, session: SignedIn) => Promise<void>>
> = {
  async 'back-channel by sid'({ provider }, hearer, { subject, sid }) {
    const token = await provider.logoutToken({ session: { sub: subject, sid } })
    assert.equal(await hearer.ask({ ask: 'logout', token }), 200)
  },
  async 'back-channel by subject'({ provider }, hearer, { subject }) {
    const token = await provider.logoutToken({ session: { sub: subject, sid: undefined } })
    assert.equal(await hearer.ask({ ask: 'logout', token }), 200)
  },
  async 'front-channel'({ provider }, hearer, { sid }) {
    const query = new URLSearchParams({ iss: provider.issuer, sid })
    const url = `${ORIGIN}/auth/frontchannel-logout?${query}`
    assert.equal((await handle(hearer, new Request(url))).status, 200)
  },
  async 'by the user'(_, hearer, { browser, askNext }) {
    askNext(hearer)
    const page = await browser.post(`${ORIGIN}/auth/sign-out`)
    assert.equal(page.status, 200)
  },
  async 'administrator by session'(_, hearer, { handle: session }) {
    assert.equal(await hearer.ask({ ask: 'signOut', selector: { session } }), 1)
  },
  async 'administrator by sid'(_, hearer, { sid }) {
    assert.equal(await hearer.ask({ ask: 'signOut', selector: { sid } }), 1)
  },
  async 'administrator by subject'(_, hearer, { subject }) {
    assert.equal(await hearer.ask({ ask: 'signOut', selector: { subject } }), 1)
  },
}

/** Fails unless each of these processes serves the session, tokens included. */
export async function assertServed(
  { subject, cookie }: Pick<SignedIn, 'subject' | 'cookie'>,
  by: readonly Member[],
): Promise<void> {
  for (const member of by) {
    assert.equal(
      await member.ask({ ask: 'session', cookie }),
      subject,
      `${subject}, ${member.name}`,
    )
    assert.equal(typeof (await member.ask({ ask: 'accessToken', cookie })), 'string')
  }
}

/** Fails unless none of these processes serves the session. */
export async function assertGone(
  { subject, cookie }: Pick<SignedIn, 'subject' | 'cookie'>,
  by: readonly Member[],
): Promise<void> {
  for (const member of by) {
    assert.equal(await member.ask({ ask: 'session', cookie }), undefined, `${subject} is still in`)
    const refused = await member.ask({ ask: 'accessToken', cookie })
    assert.deepEqual(refused, { code: 'sign_in_required' })
  }
}

/** Waits for each of these tokens to have reached the provider's revocation endpoint. */
export async function untilRevoked(
  provider: TestProvider,
  tokens: Iterable<string>,
): Promise<void> {
  const missing = new Set(tokens)
  for (let position = 1; missing.size > 0; position += 1) {
    const request = await provider.received('revocation', position)
    missing.delete(request.form.get('token') ?? '')
  }
}
