/** What the users of a soak did. */
export interface Tally {
  signIns: number
  signOuts: number
  requests: number
  /** Event streams that ended because their user was signed out. */
  streams: number
  /** What went otherwise than it should, and how often. */
  readonly failed: Map<string, number>
  fail(what: string): void
}

/** Nothing done yet. */
export function createTally(): Tally {
  const failed = new Map<string, number>()
  const fail = (what: string): void => void failed.set(what, (failed.get(what) ?? 0) + 1)
  return { signIns: 0, signOuts: 0, requests: 0, streams: 0, failed, fail }
}
