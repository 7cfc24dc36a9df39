import type { Browser } from './browser.ts'
import { type Contestant, nodeContestant } from './contestant.ts'

const OURS = './coatcheck-application.ts'
const peer = (name: string): string => `../peers/${name}.ts`

/** The same routes, by themselves. */
export const bareRoutes: readonly Contestant[] = ['express', 'hono'].map((framework) =>
  nodeContestant({
    name: `bare ${framework}`,
    setUp: 'the route by itself',
    packages: [framework],
    file: OURS,
    variant: `${framework}:bare`,
  }),
)

/** coatcheck on each store, and on both frameworks. */
export const ours: readonly Contestant[] = [
  ...['memory', 'lmdb', 'redis', 'postgres'].map((store) => ourOne('express', store)),
  ...['memory', 'lmdb'].map((store) => ourOne('hono', store)),
]

const betterAuth = {
  name: 'better-auth, sqlite',
  bare: 'bare express',
  setUp: 'genericOAuth, node:sqlite; getSession and getAccessToken',
  packages: ['better-auth'],
  file: peer('better-auth'),
  variant: 'sqlite',
  signIn: signInToBetterAuth,
}

/** What a user would pick instead, on Node. */
export const peers: readonly Contestant[] = [
  ...['cookie', 'redis'].map((variant) =>
    nodeContestant({
      name: `express-openid-connect, ${variant}`,
      bare: 'bare express',
      setUp:
        variant === 'cookie'
          ? 'session in an encrypted cookie (its default)'
          : 'session.store: connect-redis',
      packages: ['express-openid-connect'],
      file: peer('express-openid-connect'),
      variant,
      backchannel: '/backchannel-logout',
    }),
  ),
  nodeContestant({
    name: 'MSAL Node, redis',
    bare: 'bare express',
    setUp: 'express-session and DistributedCachePlugin in one Redis, as in the sample of Microsoft',
    packages: ['@azure/msal-node', 'express-session', 'connect-redis'],
    file: peer('msal-node'),
    variant: 'redis',
  }),
  nodeContestant({
    name: 'Auth.js, cookie',
    bare: 'bare express',
    setUp:
      '@auth/express, session in an encrypted cookie (its default), tokens in it as its guide has it',
    packages: ['@auth/express'],
    file: peer('authjs-express'),
    variant: 'cookie',
    signIn: signInToAuthJs,
  }),
  nodeContestant(betterAuth),
  nodeContestant({
    name: '@hono/oidc-auth, cookie',
    bare: 'bare hono',
    setUp: 'session in a signed cookie, the access token in it by its claims hook',
    packages: ['@hono/oidc-auth'],
    file: peer('hono-oidc-auth'),
    variant: 'cookie',
  }),
]

/** Everything that can run in several processes and refresh a token. */
export const stormed: readonly Contestant[] = [
  ...ours.filter(({ name }) => ['coatcheck, redis', 'coatcheck, lmdb'].includes(name)),
  ...peers.filter(({ name }) =>
    ['express-openid-connect, redis', 'MSAL Node, redis', 'Auth.js, cookie'].includes(name),
  ),
  // SQLite is not for several processes.
  nodeContestant({
    ...betterAuth,
    name: 'better-auth, postgres',
    setUp: 'genericOAuth, pg; getSession and getAccessToken',
    variant: 'postgres',
  }),
]

function ourOne(framework: string, store: string): Contestant {
  return nodeContestant({
    name: `coatcheck, ${store}${framework === 'hono' ? ', hono' : ''}`,
    bare: `bare ${framework}`,
    setUp: `coatcheck/adapters/${framework}, coatcheck/stores/${store}`,
    packages: ['coatcheck'],
    file: OURS,
    variant: `${framework}:${store}`,
    signIn: '/auth/sign-in',
    backchannel: '/auth/backchannel-logout',
  })
}

async function signInToAuthJs(browser: Browser, origin: string): Promise<void> {
  const { text } = await browser.visit(`${origin}/auth/csrf`)
  const { csrfToken } = JSON.parse(text)
  await browser.visit(`${origin}/auth/signin/bench`, {
    method: 'POST',
    body: new URLSearchParams({ csrfToken, callbackUrl: origin }),
  })
}

async function signInToBetterAuth(browser: Browser, origin: string): Promise<void> {
  const { text } = await browser.visit(`${origin}/api/auth/sign-in/social`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: JSON.stringify({ provider: 'bench', callbackURL: '/' }),
  })
  await browser.visit(JSON.parse(text).url)
}
