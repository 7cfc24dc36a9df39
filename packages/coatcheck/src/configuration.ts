import { checkAuthorizationParameters } from './authorization-parameters.ts'
import { checkPlaces } from './checked-places.ts'
import type { Environment } from './core/environment.ts'
import { environment, systemEnvironment } from './core/environment.ts'
import { isTrustworthy } from './core/http/trustworthy.ts'
import { cookieBase } from './core/session/ticket.ts'
import { checkResource } from './core/tokens/resource.ts'
import type { TokenStore } from './core/tokens/store.ts'
import { refuseUnknownOptions } from './option-names.ts'
import type { AuthOptions, Routes } from './options.ts'
import type { Place } from './places.ts'

/** Options with every default filled in, checked. */
export interface Configuration {
  readonly origin: string
  readonly secure: boolean
  /** How the names of our cookies begin; the session's is no longer. */
  readonly cookie: string
  readonly scope: string
  readonly resources: readonly string[]
  readonly authorizationParameters: Readonly<Record<string, string>>
  readonly responseMode: 'query' | 'form_post'
  readonly userInfo: boolean
  readonly routes: Routes
  /** Milliseconds, like all that is compared with a clock. */
  readonly lifetime: number
  readonly idle: number
  /** `undefined`: whatever the provider's metadata make necessary. */
  readonly revalidate: number | undefined
  /** So many milliseconds the store has for one call. */
  readonly storeTimeout: number
  /** What a sign-out has to reach besides the store. */
  readonly places: readonly Place[]
  readonly environment: Environment
}

const DEFAULT_ROUTES: Routes = {
  signIn: '/auth/sign-in',
  callback: '/auth/callback',
  signOut: '/auth/sign-out',
  signedOut: '/auth/signed-out',
  backChannelLogout: '/auth/backchannel-logout',
  frontChannelLogout: '/auth/frontchannel-logout',
  session: '/auth/session',
}

/** Checks the options. Throws a `TypeError` that says what to write. */
export function configure(options: AuthOptions): Configuration {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError('createAuth needs an object with origin, provider, store and keys.')
  }
  refuseUnknownOptions(options)
  const origin = checkOrigin(options.origin)
  checkProvider(options.provider)
  checkStore(options.store)
  checkKeys(options.keys)
  checkObserver(options.observe)
  const session = options.session ?? {}
  return {
    origin,
    secure: origin.startsWith('https:'),
    cookie: cookieBase(new URL(origin)),
    scope: checkScope(options.scope ?? 'openid'),
    resources: checkResources(options.resources ?? []),
    authorizationParameters: checkAuthorizationParameters(options.authorizationParameters ?? {}),
    responseMode: checkResponseMode(options.responseMode ?? 'query'),
    userInfo: checkSwitch('userInfo', options.userInfo ?? false),
    routes: checkRoutes(options.routes ?? {}),
    lifetime: seconds('session.lifetimeSeconds', session.lifetimeSeconds ?? 43_200),
    idle: seconds('session.idleSeconds', session.idleSeconds ?? 3_600),
    revalidate:
      session.revalidateSeconds === undefined
        ? undefined
        : seconds('session.revalidateSeconds', session.revalidateSeconds),
    storeTimeout: checkStoreTimeout(options.storeTimeoutSeconds ?? 2),
    places: checkPlaces(options.places ?? []),
    environment: { ...systemEnvironment, ...options[environment] },
  }
}

function checkOrigin(origin: unknown): string {
  const advice = 'write the public origin of the application, such as "https://app.example".'
  if (typeof origin !== 'string' || origin === '') {
    throw new TypeError(`\`origin\` is missing: ${advice}`)
  }
  if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
    throw new TypeError(
      `\`origin\` must be scheme and host only, without a slash at its end: ${advice}`,
    )
  }
  if (!isTrustworthy(new URL(origin))) {
    throw new TypeError(
      `\`origin\` must be https, or http on localhost, *.localhost, 127.0.0.0/8 or [::1]: ${advice}`,
    )
  }
  return origin
}

function checkProvider(provider: AuthOptions['provider'] | undefined): void {
  if (typeof provider?.issuer !== 'string' || !URL.canParse(provider.issuer)) {
    throw new TypeError(
      '`provider.issuer` is missing: write the issuer URL of your OpenID Provider.',
    )
  }
  const issuer = new URL(provider.issuer)
  if (!isTrustworthy(issuer) || issuer.search !== '' || issuer.hash !== '') {
    throw new TypeError(
      '`provider.issuer` must be https without query or fragment, or http on a loopback host.',
    )
  }
  if (typeof provider.clientId !== 'string' || provider.clientId === '') {
    throw new TypeError('`provider.clientId` is missing: write the client id you registered.')
  }
  const needsSecret = typeof (provider.clientAuthentication ?? 'client_secret_basic') === 'string'
  if (needsSecret && !provider.clientSecret) {
    throw new TypeError(
      '`provider.clientSecret` is missing: write the secret you registered, or use ' +
        '`clientAuthentication: { privateKeyJwt: key }`.',
    )
  }
}

const STORE_METHODS = [
  'now',
  'get',
  'insert',
  'replace',
  'remove',
  'removeAll',
  'list',
  'claim',
  'sweep',
  'isEmpty',
  'close',
] as const satisfies readonly (keyof TokenStore)[]

function checkStore(store: Partial<TokenStore> | undefined): void {
  const advice = 'write `store: memoryStore()` or another token store.'
  if (typeof store !== 'object' || store === null) {
    throw new TypeError(`\`store\` is missing: ${advice}`)
  }
  const missing = STORE_METHODS.filter((name) => typeof store[name] !== 'function')
  if (missing.length === 0) return
  throw new TypeError(`\`store\` is no token store, it has no ${missing.join(', ')}: ${advice}`)
}

function checkKeys(keys: unknown): void {
  const advice =
    'write `keys: [process.env.COATCHECK_KEY]` with a value such as that of `openssl rand -base64 32`.'
  if (typeof keys === 'string' || keys instanceof Uint8Array) {
    throw new TypeError(`\`keys\` must be a list, also of one: ${advice}`)
  }
  if (!Array.isArray(keys) || keys.length === 0) {
    throw new TypeError(`\`keys\` is missing: ${advice}`)
  }
  for (const key of keys) {
    const length =
      typeof key === 'string' ? Buffer.byteLength(key) : key instanceof Uint8Array ? key.length : 0
    if (length < 32) {
      throw new TypeError(
        `Each of \`keys\` must be a string or bytes of at least 32 bytes: ${advice}`,
      )
    }
  }
}

function checkObserver(observe: unknown): void {
  if (observe === undefined || typeof observe === 'function') return
  throw new TypeError('`observe` must be a function, such as `(event) => log.info(event)`.')
}

function checkSwitch(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new TypeError(`\`${name}\` must be true or false.`)
}

function checkScope(scope: unknown): string {
  if (typeof scope === 'string' && scope.split(' ').includes('openid')) return scope
  throw new TypeError('`scope` must contain "openid", such as "openid profile offline_access".')
}

function checkResources(resources: unknown): readonly string[] {
  if (Array.isArray(resources)) return resources.map((resource) => checkResource(resource))
  throw new TypeError('`resources` must be a list, such as `["https://api.example"]`.')
}

function checkResponseMode(mode: unknown): 'query' | 'form_post' {
  if (mode === 'query' || mode === 'form_post') return mode
  throw new TypeError('`responseMode` must be "query" or "form_post".')
}

function checkRoutes(chosen: Partial<Routes>): Routes {
  const routes = { ...DEFAULT_ROUTES, ...chosen }
  const seen = new Set<string>()
  for (const [name, path] of Object.entries(routes) as [string, string][]) {
    // A segment that is empty or made of dots is gone before a request for it arrives.
    if (!/^(\/(?!\.\.?(\/|$))[A-Za-z0-9._~-]+)+$/.test(path)) {
      throw new TypeError(`\`routes.${name}\` must be a path such as "/auth/callback".`)
    }
    if (seen.has(path)) throw new TypeError(`\`routes.${name}\` is the path of another route too.`)
    seen.add(path)
  }
  return routes
}

/** Longer than a browser waits helps nobody, and a timer takes what is too much for zero. */
function checkStoreTimeout(value: number): number {
  const milliseconds = seconds('storeTimeoutSeconds', value)
  if (milliseconds <= 60_000) return milliseconds
  throw new TypeError('`storeTimeoutSeconds` must be a number of seconds, 60 at most.')
}

function seconds(name: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value * 1000
  throw new TypeError(`\`${name}\` must be a number of seconds above 0.`)
}
