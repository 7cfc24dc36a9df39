// One process of an application that calls APIs by MSAL Node. Started by `two-processes.test.ts`.
import {
  type AuthorizationCodeRequest,
  DistributedCachePlugin,
  type ICachePlugin,
} from '@azure/msal-node'
import { createClient } from 'redis'
import { type Auth, createAuth } from '#coatcheck'
import { msalCachePlugin } from '#coatcheck/msal/index'
import { redisStore } from '#coatcheck/stores/redis'
import { KEY } from '../support/application.ts'
import { createMsal, SCOPES, theAccount } from './msal-application.ts'

/** How a process is set up. */
export interface Setup {
  /** MSAL's own plugin over Redis, as Microsoft's sample has it, or ours. */
  readonly plugin: 'own' | 'ours'
  readonly redis: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly origin: string
  /** Who asks: for our plugin. */
  readonly cookie: string
  /** Whose partition it is: for MSAL's own. */
  readonly account: string
}

/** What a process can be asked. */
export type Question =
  | { readonly ask: 'code'; readonly request: AuthorizationCodeRequest }
  | { readonly ask: 'refresh' }
  | { readonly ask: 'accounts' }
  | { readonly ask: 'remove' }
  | { readonly ask: 'sign_out' }

/** Its answer, or the code of an error. */
export type Told = { readonly answer: unknown } | { readonly code: string }

const setup: Setup = JSON.parse(process.env['SETUP'] ?? '')
const client = createClient({ url: setup.redis })
await client.connect()
const auth = setup.plugin === 'ours' ? startAuth() : undefined
/** One for all questions, as an application has it whose processes live long. */
const msal = createMsal(setup.issuer, setup.clientId, setup.clientSecret, plugin())

const answers: Record<Question['ask'], (question: never) => Promise<unknown>> = {
  async code({ request }: Extract<Question, { ask: 'code' }>) {
    return (await msal.acquireTokenByCode(request)).accessToken
  },
  async refresh() {
    const account = await theAccount(msal)
    const request = { account, scopes: SCOPES, forceRefresh: true }
    return (await msal.acquireTokenSilent(request)).accessToken
  },
  async accounts() {
    const accounts = await msal.getTokenCache().getAllAccounts()
    return accounts.map(({ homeAccountId }) => homeAccountId)
  },
  async remove() {
    await msal.getTokenCache().removeAccount(await theAccount(msal))
  },
  async sign_out() {
    return (await auth?.signOut({ subject: setup.account }))?.removed
  },
}

process.on('message', (question: Question) => {
  const answer = answers[question.ask] as (question: Question) => Promise<unknown>
  answer(question).then(
    (value) => process.send?.({ answer: value ?? null } satisfies Told),
    (error: unknown) => process.send?.({ code: codeOf(error) } satisfies Told),
  )
})
process.once('disconnect', async () => {
  await auth?.close()
  client.destroy()
})
process.send?.('ready')

function startAuth(): Auth {
  const { issuer, clientId, clientSecret, origin } = setup
  return createAuth({
    origin,
    provider: { issuer, clientId, clientSecret, clientAuthentication: 'client_secret_post' },
    store: redisStore(client),
    keys: [KEY],
    scope: 'openid profile offline_access',
  })
}

function plugin(): ICachePlugin {
  if (auth !== undefined) return msalCachePlugin(auth, { headers: { cookie: setup.cookie } })
  const read = async (key: string): Promise<string> => (await client.get(key)) ?? ''
  const write = async (key: string, value: string): Promise<string> =>
    String(await client.set(key, value))
  return new DistributedCachePlugin(
    { get: read, set: write },
    {
      getKey: async () => setup.account,
      extractKey: async ({ homeAccountId }) => homeAccountId,
    },
  )
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return String(Reflect.get(error, 'code') ?? Reflect.get(error, 'errorCode') ?? error.message)
}
