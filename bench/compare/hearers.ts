import { apaches } from './apache.ts'
import { nodeContestant } from './contestant.ts'
import { ours, peers } from './contestants.ts'
import type { Hearer } from './sign-out.ts'

/** What the ratios of back-channel logouts are to. */
export const verifyOnly = 'jwtVerify only'

/** Everything that takes logout tokens. */
export const hearers: readonly Hearer[] = [
  {
    contestant: nodeContestant({
      name: verifyOnly,
      setUp: 'an Express route that verifies the token with jose and does nothing',
      packages: ['jose', 'express'],
      file: './verify-application.ts',
      variant: '',
      backchannel: '/logout',
    }),
    sessions: 'none',
  },
  ...ours
    .filter(({ bare }) => bare === 'bare express')
    .map((contestant) => ({ contestant, sessions: 'populated' as const })),
  // It notes that the session is over, and leaves the session where it is.
  ...peers
    .filter(({ name }) => name === 'express-openid-connect, redis')
    .map((contestant) => ({ contestant, sessions: 'none' as const })),
  ...apaches
    .filter(({ bare }) => bare !== undefined)
    .map((contestant) => ({ contestant, sessions: 'signed-in' as const })),
]
