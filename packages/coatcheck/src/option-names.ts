import type { ProviderOptions } from './core/provider/options.ts'
import type { AuthOptions, Routes, SessionOptions } from './options.ts'

/** Every name there is: the compiler sees to it that none is missing. */
type Names<Options> = Readonly<Record<Extract<keyof Options, string>, true>>

const TOP: Names<AuthOptions> = {
  origin: true,
  provider: true,
  store: true,
  keys: true,
  scope: true,
  resources: true,
  authorizationParameters: true,
  responseMode: true,
  userInfo: true,
  routes: true,
  session: true,
  storeTimeoutSeconds: true,
  places: true,
  observe: true,
}
const PROVIDER: Names<ProviderOptions> = {
  issuer: true,
  clientId: true,
  clientSecret: true,
  clientAuthentication: true,
  idTokenSignedResponseAlg: true,
  idTokenEncryption: true,
  trustedAudiences: true,
  clockSkewSeconds: true,
  pushedAuthorizationRequests: true,
  strictLogoutTokens: true,
  logoutTokenAgeSeconds: true,
}
const SESSION: Names<SessionOptions> = {
  lifetimeSeconds: true,
  idleSeconds: true,
  revalidateSeconds: true,
}
const ROUTES: Names<Routes> = {
  signIn: true,
  callback: true,
  signOut: true,
  signedOut: true,
  backChannelLogout: true,
  frontChannelLogout: true,
  session: true,
}

/** A mistyped option would weaken in silence. Throws a `TypeError` that lists those there are. */
export function refuseUnknownOptions(options: AuthOptions): void {
  refuse('', options, TOP)
  refuse('provider.', options.provider, PROVIDER)
  refuse('session.', options.session, SESSION)
  refuse('routes.', options.routes, ROUTES)
}

function refuse(where: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof given !== 'object' || given === null) return
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue
    const names = Object.keys(known).join(', ')
    throw new TypeError(`\`${where}${name}\` is no option: write one of ${names}.`)
  }
}
