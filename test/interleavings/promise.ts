/** What is promised, by the word with which a failure begins. */
const PROMISES = {
  served: 'Nothing is served once a sign-out is answered (G1).',
  gone: 'No record of a session that was signed out is left (G1, G2).',
  revoked: 'Every token of it that still lives is revoked at the provider, once (G2, G4).',
  spent: 'No refresh token and no code is spent twice; one refresh serves all callers (G6).',
  once: 'One of several equal callbacks goes on.',
  kept: "Nobody else's session ends (G5).",
  told: 'A place hears of each session that ended, in one removal, and of no other (decision 014).',
  shown: 'Each session that ended is in exactly one receipt (G8).',
  answers: 'Everything is answered as if nothing else had happened.',
  ends: 'Everything comes to an end.',
  afresh: 'Who signs in afterwards is signed in.',
  work: 'Nothing is left to do.',
} as const

/** One of them. */
export type PromiseName = keyof typeof PROMISES

/** Throws where a promise does not hold. */
export function holds(promise: PromiseName, condition: boolean, what: string): void {
  if (!condition) throw broken(promise, what)
}

/** A promise that was broken, as an error. */
export function broken(promise: PromiseName, what: string): Error {
  return new Error(`[${promise}] ${what}. ${PROMISES[promise]}`)
}
