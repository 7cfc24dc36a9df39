/** At and below it the library answers, as it does where nothing is set: it is no application's. */
export const LIBRARY_PATH = '/auth'

/** Where the gateway answers itself. */
export const OWN_PATHS = {
  /** The keys that its signatures are checked by. */
  jwks: '/.well-known/jwks.json',
  alive: '/healthz',
  ready: '/readyz',
  metrics: '/metrics',
} as const
