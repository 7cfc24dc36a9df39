/** Where the gateway answers itself, apart from the library's routes. */
export const OWN_PATHS = {
  /** The keys that its signatures are checked by. */
  jwks: '/.well-known/jwks.json',
  alive: '/healthz',
  ready: '/readyz',
  metrics: '/metrics',
} as const
