import { createHash } from 'node:crypto'
import type { Ended, TokenStore } from '#coatcheck'
import { startBrowser, type TestBrowser } from '#coatcheck/testing/browser'
import { startProvider } from '#coatcheck/testing/provider'
import type { TestProvider } from '#coatcheck/testing/provider/contract'
import { type Families, noteFamilies } from './families.ts'
import type { Points } from './points.ts'
import { ORIGIN, SECRET, startProcess, type TestProcess } from './process.ts'
import type { Quiet } from './quiet.ts'
import { type RememberingStores, rememberIds } from './remembering-store.ts'
import { type Sleepers, startSleepers } from './sleepers.ts'

/** What a world is made of. */
export interface WorldOptions {
  readonly points: Points
  readonly quiet: Quiet
  /** The store under test, over this clock, as each of the two processes opens it. */
  readonly openStore: (now: () => number) => readonly [TokenStore, TokenStore]
  /** What is broken on purpose. */
  readonly breakStore?: (store: TokenStore) => TokenStore
  /** Whether there is a place of the application that hears of sign-outs. Default `false`. */
  readonly tells?: boolean
  /** Whether every removal goes one record at a time. Default `false`. */
  readonly inSteps?: boolean
  /** Whether the arrival of an answer is a step of its own. Default `true`. */
  readonly answers?: boolean
  /**
   * Whether only the actors' own steps are interleaved: workers go on when all actors are done, and
   * who comes after a sign-out is answered at once. Default `false`.
   */
  readonly actorsOnly?: boolean
}

/** Somebody who signed in, or is about to. */
export interface Person {
  readonly sub: string
  readonly sid: string
  readonly browser: TestBrowser
  /** What the provider's tokens of this sign-in descend from. */
  readonly code: string
  /** Names the session, once there is one. */
  handle: string | undefined
  /** `Cookie` header that stands for the session, once there is one. */
  cookie: string | undefined
}

/** A provider, a store, two processes, and time that passes only when told. */
export interface World {
  readonly provider: TestProvider
  readonly processes: readonly [TestProcess, TestProcess]
  readonly stores: RememberingStores
  readonly sleepers: Sleepers
  readonly points: Points
  readonly families: Families
  readonly actorsOnly: boolean
  /** What the application's place was told, where there is one. */
  readonly told: readonly Ended[] | undefined
  /** Signs a user in, undisturbed. */
  signIn(user: { sub: string; sid: string }, process?: TestProcess): Promise<Person>
  /** A sign-in as far as the provider's answer: what the browser would ask our callback. */
  approach(
    user: { sub: string; sid: string },
    browser: TestBrowser,
  ): Promise<{ person: Person; url: string }>
  newBrowser(process?: TestProcess): TestBrowser
  /** Lets the schedule decide from now on. */
  explore(): void
  /** From now on everything goes on at once. */
  calm(): void
  /** Lets workers go on that were held back. */
  freeWorkers(): void
  settled(): Promise<void>
  close(): Promise<void>
}

const COOKIE = '__Host-coatcheck'

/** Starts one. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { points, quiet, answers = true } = options
  const sleepers = startSleepers()
  const provider = await startProvider({
    now: sleepers.now,
    key: await signingKey(),
    clients: [
      {
        client_id: 'app',
        client_secret: SECRET,
        id_token_signed_response_alg: 'HS256',
        redirect_uris: [`${ORIGIN}/auth/callback`],
        post_logout_redirect_uris: [`${ORIGIN}/auth/signed-out`],
      },
    ],
    settings: { accessTokens: 'opaque' },
  })
  const families = noteFamilies(provider)
  const stores = rememberIds(options.openStore(sleepers.now))
  const prepare = (store: TokenStore): TokenStore => {
    const slow = options.inSteps === true ? oneAtATime(store) : store
    return options.breakStore?.(slow) ?? slow
  }
  const first = prepare(stores.opened[0])
  let exploring = false
  let freeWorkers = (): void => {}
  const free = new Promise<void>((resolve) => {
    freeWorkers = resolve
  })
  if (options.actorsOnly !== true) freeWorkers()

  const told: Ended[] | undefined = options.tells === true ? [] : undefined
  const shared = {
    provider,
    told,
    sleepers,
    quiet,
    answers,
    requests: new Set<object>(),
    reach: (label: string) => (exploring ? points.reach(label) : Promise.resolve()),
    workersAllowed: () => (exploring ? free : Promise.resolve()),
  }
  const second = stores.opened[1] === stores.opened[0] ? first : prepare(stores.opened[1])
  const processes = [
    startProcess('1', { ...shared, store: first }),
    startProcess('2', { ...shared, store: second }),
  ] as const

  function newBrowser(process: TestProcess = processes[0]): TestBrowser {
    return startBrowser({
      now: sleepers.now,
      origins: {
        [provider.issuer]: async (request) => provider.fetch(request.url, await copyOf(request)),
        [ORIGIN]: (request) =>
          process.auth.owns(new URL(request.url).pathname)
            ? process.auth.handle(request)
            : new Response('the application'),
      },
    })
  }

  async function approach(
    user: { sub: string; sid: string },
    browser: TestBrowser,
  ): Promise<{ person: Person; url: string }> {
    provider.user = user
    const left = await browser.get(`${ORIGIN}/auth/sign-in`, { follow: false })
    const answered = left.headers.has('location') ? await browser.follow(left) : undefined
    const url = answered?.headers.get('location') ?? undefined
    const code = url === undefined ? null : new URL(url).searchParams.get('code')
    if (url === undefined || code === null) throw new Error(`No code came: ${left.text}`)
    return { person: { ...user, browser, code, handle: undefined, cookie: undefined }, url }
  }

  return {
    provider,
    processes,
    stores,
    sleepers,
    points,
    families,
    actorsOnly: options.actorsOnly ?? false,
    told,
    newBrowser,
    approach,
    async signIn(user, process) {
      const browser = newBrowser(process)
      const { person, url } = await approach(user, browser)
      await browser.get(url)
      recognize(person, browser.cookieHeader(ORIGIN))
      return person
    },
    explore() {
      exploring = true
    },
    calm() {
      exploring = false
    },
    freeWorkers: () => freeWorkers(),
    settled: quiet.settled,
    async close() {
      exploring = false
      freeWorkers()
      for (const { alive, auth } of processes) if (alive) await auth.close()
      await provider.close()
      for (const store of stores.opened) await store.close()
    },
  }
}

/** Notes the session a `Cookie` header, or a `Set-Cookie` line, stands for. */
export function recognize(person: Person, cookies: string): void {
  const ticket = new RegExp(`${COOKIE}=([\\w-]{43})(?:;|$)`).exec(cookies)?.[1]
  if (ticket === undefined) throw new Error('There is no ticket.')
  person.cookie = `${COOKIE}=${ticket}`
  person.handle = createHash('sha256').update(ticket).digest('base64url')
}

/** Very many sessions are removed in many steps; two are in two. */
function oneAtATime(store: TokenStore): TokenStore {
  return {
    ...store,
    removeAll: (marks, removal) => store.removeAll(marks, { ...removal, limit: 1 }),
  }
}

async function copyOf(request: Request): Promise<RequestInit> {
  const { method, headers } = request
  const body = request.body === null ? {} : { body: await request.text() }
  return { method, headers, redirect: 'manual', ...body }
}

/** Making one takes longer than a run; nothing here is signed with it. */
let key: Promise<TestProvider['keys']['current']> | undefined

function signingKey(): Promise<TestProvider['keys']['current']> {
  key ??= startProvider().then(async (provider) => {
    await provider.close()
    return provider.keys.current
  })
  return key
}
