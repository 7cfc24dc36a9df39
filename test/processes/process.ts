// One process of an application, driven by messages. Started by `startProcess` in `processes.ts`.
import { AsyncLocalStorage } from 'node:async_hooks'
import { type Auth, type AuthEvent, createAuth, type SignOutSelector } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { KEY, ORIGIN } from '../support/application.ts'
import { openStore, type Place } from './place.ts'

/** What a process can be asked. */
export type Question =
  | { readonly ask: 'session'; readonly cookie: string }
  | { readonly ask: 'accessToken'; readonly cookie: string; readonly force?: boolean }
  | { readonly ask: 'logout'; readonly token: string }
  | { readonly ask: 'sessions'; readonly subject: string }
  | { readonly ask: 'signOut'; readonly selector: SignOutSelector }
  | { readonly ask: 'handle'; readonly request: WireRequest }
  | { readonly ask: 'forward'; readonly milliseconds: number }
  /** Closes what it has, as a process does that ends in peace. */
  | { readonly ask: 'stop' }
  /** Begins anew on the same store, as another process would, with these keys. */
  | { readonly ask: 'begin'; readonly keys: readonly string[] }

/** A request of a browser, on its way to a process. */
export interface WireRequest {
  readonly method: string
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | undefined
}

/** The answer to a {@link WireRequest}. */
export interface WireResponse {
  readonly status: number
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** How a process is set up. */
export interface Setup {
  readonly place: Place
  readonly issuer: string
  /** Moves its clock, in milliseconds. */
  readonly offset?: number
  /** What the provider reads in the header `x-process` of its requests. */
  readonly name?: string
  /** Default: the key of all tests. */
  readonly keys?: readonly string[]
}

/** What it says: an answer to a question, or an event. */
export type Told =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly code: string }
  /** With the number of the question that it came of, if it did. */
  | { readonly event: AuthEvent; readonly number?: number | undefined }
  | { readonly ready: true }
  | { readonly failed: string }

const setup: Setup = JSON.parse(process.env['SETUP'] ?? '')
const answering = new AsyncLocalStorage<number>()
let offset = setup.offset ?? 0
const systemNow = Date.now
const now = (): number => systemNow() + offset
// The clock of a machine is off for everybody on it: stores and drivers read it too.
Date.now = now
const store = await openStore(setup.place, now).catch(giveUp)
let auth = begin(setup.keys ?? [KEY])

process.on('message', async ({ number, question }: { number: number; question: Question }) => {
  try {
    tell({ number, answer: await answering.run(number, () => answer(question)) })
  } catch (error) {
    tell({ number, code: (error as { code?: string }).code ?? String(error) })
  }
})
process.on('disconnect', () => process.exit())
tell({ ready: true })

function begin(keys: readonly string[]): Auth {
  return createAuth({
    origin: ORIGIN,
    provider: { issuer: setup.issuer, clientId: 'app', clientSecret: 'secret' },
    store,
    keys: [...keys],
    scope: 'openid offline_access',
    observe: (event) => tell({ event, number: answering.getStore() }),
    [environment]: {
      now,
      fetch(input, init) {
        const headers = new Headers(init?.headers)
        headers.set('x-process', setup.name ?? '')
        return fetch(input, { ...init, headers })
      },
    },
  })
}

async function answer(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'session':
      return (await auth.session({ headers: { cookie: question.cookie } }))?.subject
    case 'accessToken': {
      const forceRefresh = question.force ?? false
      return (await auth.accessToken({ headers: { cookie: question.cookie } }, { forceRefresh }))
        .value
    }
    case 'logout': {
      const body = new URLSearchParams({ logout_token: question.token })
      const url = `${ORIGIN}/auth/backchannel-logout`
      return (await auth.handle(new Request(url, { method: 'POST', body }))).status
    }
    case 'sessions':
      return (await auth.sessions({ subject: question.subject })).length
    case 'signOut':
      return (await auth.signOut(question.selector)).removed
    case 'handle':
      return handle(question.request)
    case 'forward':
      offset += question.milliseconds
      return undefined
    case 'stop':
      return auth.close()
    case 'begin':
      auth = begin(question.keys)
      return undefined
  }
}

async function handle({ method, url, headers, body }: WireRequest): Promise<WireResponse> {
  const init = { method, headers: headers.map(([name, value]): [string, string] => [name, value]) }
  const request = new Request(url, { ...init, ...(body !== undefined && { body }) })
  const response = await auth.handle(request)
  return { status: response.status, headers: [...response.headers], body: await response.text() }
}

/** Whoever watches over processes starts another. */
function giveUp(error: unknown): never {
  tell({ failed: String(error) })
  process.exit(1)
}

function tell(told: Told): void {
  process.send?.(told)
}
