import type { Scenario, SignOut } from './scenario.ts'

/** What must have become of a session when all is done. */
export type Fate = 'gone' | 'stays' | 'either'

/** Whether a sign-out covers the session A, which was there before it. */
export function endsA(signOut: SignOut): boolean {
  return signOut.by !== 'back_channel' || signOut.names !== 'new_sid'
}

/** Whether a sign-out covers the same user's session at another provider session. */
export function endsB(signOut: SignOut): boolean {
  return endsX(signOut) || ('names' in signOut && signOut.names === 'subject')
}

/** Whether a sign-out covers another user's session. */
export function endsX(signOut: SignOut): boolean {
  return signOut.by === 'everybody'
}

/** Whether a sign-out covers a sign-in that began before it and comes back meanwhile. */
export function endsC(signOut: SignOut, browser: 'same' | 'other'): boolean {
  switch (signOut.by) {
    case 'back_channel':
      // Equality means signed out.
      return signOut.names !== 'new_sid' && signOut.later >= 0
    case 'administrator':
      return signOut.names !== 'session'
    case 'user':
      return browser === 'same'
    case 'front_channel':
      return signOut.names === 'sid'
    case 'everybody':
      return true
  }
}

/**
 * What must have become of A: a sign-in in the same browser replaces it. Where a process dies, its
 * sign-out may have had no effect, and its refresh may have cost the session.
 */
export function fateOfA({ signOuts, callback, death }: Scenario): Fate {
  if (death !== undefined) return 'either'
  if (signOuts.some(endsA)) return 'gone'
  return signOuts.length > 0 || callback?.browser === 'same' ? 'either' : 'stays'
}

/** What must have become of B. */
export function fateOfB({ signOuts, death }: Scenario): Fate {
  if (death !== undefined) return 'either'
  return signOuts.some(endsB) ? 'gone' : 'stays'
}

/** What must have become of another user's session. */
export function fateOfX({ signOuts, death }: Scenario): Fate {
  if (!signOuts.some(endsX)) return 'stays'
  return death === undefined ? 'gone' : 'either'
}

/** What must have become of the sign-in under way. */
export function fateOfC({ signOuts, callback, death }: Scenario): Fate {
  if (death !== undefined) return 'either'
  const { browser } = callback ?? { browser: 'other' }
  return signOuts.some((signOut) => endsC(signOut, browser)) ? 'gone' : 'stays'
}
