/** What the library takes where nothing is set: here for whoever has to compare with it or say it. */
export const LIBRARY_DEFAULTS = {
  /** At and below it the library answers: it is no application's. */
  path: '/auth',
  lifetimeSeconds: 43_200,
  clockSkewSeconds: 60,
} as const
