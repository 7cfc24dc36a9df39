import { ask, type Browser, type Page } from './browser.ts'
import { answered, bothOf, callApi, countOf, holding } from './observations.ts'
import type { Step } from './walk.ts'

/** Everything starts, two people sign in, the API is called. */
export const signIns: readonly Step[] = [
  {
    name: 'everything starts',
    async run({ demo }) {
      const { provider, a, b, api } = demo.origins
      const discovery = await ask(`${provider}/.well-known/openid-configuration`)
      const { issuer } = JSON.parse(discovery.body) as { issuer: string }
      const pages = await Promise.all(
        [`${a}/process/1/`, `${a}/process/2/`, `${b}/`].map((url) => ask(url)),
      )
      const status = pages.map((page) => page.status)
      const withoutToken = await ask(`${api}/coats`)
      const pids = demo.direct.map(({ pid }) => pid)
      return {
        observed: {
          issuer,
          pids,
          pages: { a1: status[0], a2: status[1], b: status[2] },
          apiWithoutToken: withoutToken.status,
        },
        expected: {
          'the provider is who it says': issuer === provider,
          'A runs in two processes': new Set([...pids, process.pid]).size === 3,
          'all pages answer': status.every((one) => one === 200),
          'the API wants a token': withoutToken.status === 401,
        },
      }
    },
  },
  {
    name: 'Alice signs in to A at the provider',
    async run({ demo, alice }) {
      const { page, asked } = await signIn(alice, demo.origins.a, 'alice')
      const caches = await bothOf(demo)
      return {
        observed: { askedWho: asked, hops: page.hops, greeted: greeting(page), caches },
        expected: {
          'the provider asked who she is': asked,
          'A greets her': greeting(page) === 'Hello, Alice',
          'both processes hold one session': holding(caches, 'alice', 1),
          'with a refresh token and an ID token': caches.every(
            ({ refreshTokens, idTokens }) => refreshTokens === 1 && idTokens === 1,
          ),
        },
      }
    },
  },
  {
    name: 'both processes of A call the API for her, with one access token',
    async run({ demo, alice }) {
      const calls = [await callApi(demo, alice, 1), await callApi(demo, alice, 2)]
      const answers = calls.map((call) => answered(demo, call))
      return {
        observed: { answers, refreshes: demo.provider.log.refreshes.length },
        expected: {
          'the API answered both': answers.every(
            ({ status, hello }) => status === 200 && hello === 'alice',
          ),
          'two processes answered':
            answers[0]?.['by'] === 'A, process 1' && answers[1]?.['by'] === 'A, process 2',
          'one access token served both':
            answers[0]?.['accessToken'] === answers[1]?.['accessToken'],
        },
      }
    },
  },
  {
    name: 'the access token runs out; 20 callers in both processes cause one refresh',
    async run({ demo, alice }) {
      const { log, setAccessTokenSeconds } = demo.provider
      setAccessTokenSeconds(3)
      await callApi(demo, alice, 1, true)
      setAccessTokenSeconds(120)
      const before = log.refreshes.length
      const calls = await Promise.all(
        Array.from({ length: 20 }, (_, at) => callApi(demo, alice, at % 2 === 0 ? 1 : 2)),
      )
      const answers = calls.map((call) => answered(demo, call))
      const count = (by: string): number => answers.filter((one) => one['by'] === by).length
      const refreshes = log.refreshes.slice(before)
      return {
        observed: {
          answeredBy: {
            'A, process 1': count('A, process 1'),
            'A, process 2': count('A, process 2'),
          },
          statuses: [...new Set(answers.map(({ status }) => status))],
          accessTokens: [...new Set(answers.map(({ accessToken }) => accessToken))],
          refreshes,
        },
        expected: {
          'every caller was answered': answers.every(({ status }) => status === 200),
          'with the same access token':
            new Set(answers.map((one) => one['accessToken'])).size === 1,
          'the provider saw one refresh': refreshes.length === 1,
        },
      }
    },
  },
  {
    name: 'Alice signs in to B, by the same session of the provider',
    async run({ demo, alice }) {
      const { page, asked } = await signIn(alice, demo.origins.b, 'alice')
      const call = answered(demo, await callApi(demo, alice, 'b'))
      const caches = [...(await bothOf(demo)), await countOf(demo, 'b')]
      return {
        observed: { askedWho: asked, greeted: greeting(page), call, caches },
        expected: {
          'the provider knew her': !asked && greeting(page) === 'Hello, Alice',
          'B calls the API for her': call['status'] === 200 && call['client'] === 'app-b',
          'A and B hold one session each': holding(caches, 'alice', 1),
        },
      }
    },
  },
  {
    name: 'Bob signs in to A, in a browser of his own',
    async run({ demo, bob }) {
      const { page, asked } = await signIn(bob, demo.origins.a, 'bob')
      const caches = await bothOf(demo)
      return {
        observed: { askedWho: asked, greeted: greeting(page), caches },
        expected: {
          'A greets him': greeting(page) === 'Hello, Bob',
          'both processes hold one session of each':
            holding(caches, 'alice', 1) && holding(caches, 'bob', 1),
        },
      }
    },
  },
]

/** Signs somebody in, and tells whether the provider had to ask who it is. */
export async function signIn(
  user: Browser,
  origin: string,
  account: 'alice' | 'bob',
): Promise<{ readonly page: Page; readonly asked: boolean }> {
  const page = await user.open(`${origin}/auth/sign-in?return_to=%2F`)
  if (!page.body.includes('Who are you?')) return { page, asked: false }
  return { page: await user.submit(page, /method="post"/, { account }), asked: true }
}

/** The heading of a page: who it greets, or what went wrong. */
export function greeting(page: Page): string {
  return /<h1>(.*?)<\/h1>/.exec(page.body)?.[1] ?? `no heading, status ${page.status}`
}
