import { setImmediate as turn } from 'node:timers/promises'
import { startBenchApplication } from './application.ts'
import type { BenchPlace } from './places.ts'
import { populate } from './population.ts'

/** What it takes to sign out a user with very many sessions, in milliseconds. */
export interface ManySessions {
  readonly sessionsOfOneUser: number
  readonly signedOutWithin: number
  readonly longestBlock: number
}

/** Signs the user out, and watches how long others had to wait for the event loop. */
export async function measureManySessions(
  { store }: BenchPlace,
  sessions: number,
): Promise<ManySessions> {
  const application = await startBenchApplication(store)
  const { auth, owner, provider } = application
  const plans = Array.from({ length: sessions }, (_, at) => ({
    subject: 'many',
    sid: `many-${at}`,
  }))
  await populate(store, owner, plans)
  const token = await provider.logoutToken({ session: { sub: 'many', sid: undefined } })
  let longestBlock = 0
  let done = false
  const watching = (async () => {
    for (let last = performance.now(); !done; ) {
      await turn()
      const now = performance.now()
      longestBlock = Math.max(longestBlock, now - last)
      last = now
    }
  })()
  const began = performance.now()
  await application.logout(token)
  const signedOutWithin = Math.round(performance.now() - began)
  done = true
  await watching
  await auth.close()
  await provider.close()
  return {
    sessionsOfOneUser: sessions,
    signedOutWithin,
    longestBlock: Math.round(longestBlock * 10) / 10,
  }
}
