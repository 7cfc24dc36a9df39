import { findRemains } from '#coatcheck/testing/remains'
import { until } from '../servers/until.ts'
import { KEY } from '../support/application.ts'
import type { Arena } from './arena.ts'
import { endOf, type History, type KnownSession, type SignOut, storyOf } from './history.ts'
import { type Excuses, judgeLosses, judgeRotations, lostWithPrimary } from './judge.ts'
import { look } from './looks.ts'
import { lookAtAll } from './rounds.ts'
import type { Attempt, World } from './world.ts'

/** What is left to say when nothing befalls anybody any more. */
export interface Settled {
  /** Live refresh tokens that nobody is to revoke, and why. */
  readonly unrevoked: Excuses
  /** Sessions whose tokens reached the revocation endpoint. */
  readonly revoked: number
  /** Sign-outs that a process could not do when it was asked, and did later. */
  readonly finishedLater: number
  /** Entries of the store that were looked through. */
  readonly looked: number
  /** Entries of an index that lead to nothing: whoever removed the record died before it had tidied up. */
  readonly dangling: number
}

/** Longer than any claim lasts: what the dead had begun is free for others by then. */
const WORK_CLAIM = 120_000
const REFRESH_CLAIM = 40_000

/**
 * Waits until all that was asked is answered and all that is owed is done, and then looks at
 * everything: the processes, the provider, and the bytes in the store.
 */
export async function settle(
  world: World,
  arena: Arena,
  judged: { readonly excuses: Excuses; readonly reused: { count: number } },
  patience = WORK_CLAIM + 30_000,
): Promise<Settled> {
  const { history } = world
  await until('all is answered', () => world.open.size === 0, REFRESH_CLAIM)
  await lookAtAll(world, 0, ['session', 'refresh'])
  const finishedLater = await judgeUnfinished(world)
  judgeRotations(world, judged.reused)
  judgeLosses(world, judged.excuses)

  const unrevoked: Excuses = new Map()
  const owed = (): Owed[] => stillOwed(world, unrevoked)
  await until('all that is owed was revoked', () => owed().length === 0, patience).catch(() => {
    for (const { story } of owed()) history.violations.push({ promise: OWED, story })
  })
  await lookAtAll(world, 0)
  judgeLosses(world, judged.excuses)
  const revoked = judgeRevocations(world)
  const remains = await judgeRemains(world, arena)
  return { unrevoked, revoked, finishedLater, ...remains }
}

const OWED = 'a revocation that is owed did not reach the provider'

/** What a process promised to finish is finished before long, unless it was killed over it. */
async function judgeUnfinished(world: World): Promise<number> {
  const { history, crew } = world
  const promised = history.signOuts.filter(
    ({ deferred, process }) => deferred && crew.all.get(process ?? '')?.killedAt === undefined,
  )
  const left = (): { signOut: SignOut; session: KnownSession }[] =>
    promised.flatMap((signOut) =>
      history.sessions
        .filter(
          (session) =>
            session.over === undefined &&
            session.signedInAt < signOut.askedAt &&
            endOf(signOut, session) !== 'no',
        )
        .map((session) => ({ signOut, session })),
    )
  const areFinished = async (): Promise<boolean> => {
    for (const { session } of left()) await look(world, session, 'session')
    return left().length === 0
  }
  await until('what was promised is done', areFinished).catch(() => {
    for (const { signOut, session } of left()) {
      const promise = `sign-out ${signOut.number} (${signOut.how}) was heard and never finished`
      history.violations.push({ promise, story: storyOf(session) })
    }
  })
  return promised.length
}

interface Owed {
  readonly story: readonly string[]
}

/** Refresh tokens that live although nobody has them. Fills in why some of them may. */
function stillOwed(world: World, excuses: Excuses): Owed[] {
  const { provider, history } = world
  const sids = new Map(provider.issued.map(({ value, sid }) => [value, sid]))
  const sessions = new Map(history.sessions.map((session) => [session.sid, session]))
  const attempts = new Map(world.attempts.map((attempt) => [attempt.sid, attempt]))
  excuses.clear()
  return provider.liveRefreshTokens().flatMap((value): Owed[] => {
    const sid = sids.get(value)
    const session = sessions.get(sid ?? '')
    if (session !== undefined && session.over === undefined) return []
    const attempt = attempts.get(sid)
    const why =
      session === undefined
        ? attempt && whyUnknown(world, attempt)
        : whyUnrevoked(world, history, session)
    if (why !== undefined) {
      excuses.set(why, (excuses.get(why) ?? 0) + 1)
      return []
    }
    const story =
      session === undefined
        ? [`a sign-in that failed: ${JSON.stringify(attempt)}`]
        : storyOf(session)
    return [{ story }]
  })
}

function whyUnrevoked(world: World, history: History, session: KnownSession): string | undefined {
  const isFrontChannel = history.signOuts.some(
    (signOut) => signOut.how === 'front-channel' && endOf(signOut, session) !== 'no',
  )
  if (isFrontChannel) return 'signed out by the front channel, which revokes nothing'
  return lostWithPrimary(world, session) ? 'the primary died with the session' : undefined
}

/** Why the tokens of a sign-in that came to nothing may live on. */
function whyUnknown(world: World, attempt: Attempt): string | undefined {
  const { crew, faults } = world
  const { began, ended = began, callback = '', code } = attempt
  const killedAt = crew.all.get(callback)?.killedAt
  // It had the tokens in its memory, or a promise to take them back.
  if (killedAt !== undefined && killedAt >= began) return 'its process was killed in a sign-in'
  for (const { form } of faults.unanswered) {
    if (form.get('code') === code) return 'the provider could not answer a sign-in'
  }
  const fell = faults.primariesLost.some((at) => began <= at && at <= ended + 500)
  return fell ? 'the primary died in a sign-in' : undefined
}

/** How many sessions had a token revoked, and that nobody did who is still signed in. */
function judgeRevocations({ provider, history }: World): number {
  const sids = new Map(provider.issued.map(({ value, sid }) => [value, sid]))
  const revoked = new Set(provider.revoked.map(({ token }) => sids.get(token)))
  for (const session of history.sessions) {
    if (session.over !== undefined || !revoked.has(session.sid)) continue
    const promise = 'the tokens of somebody were revoked who is still signed in'
    history.violations.push({ promise, story: storyOf(session) })
  }
  return revoked.size
}

/**
 * Nothing of anybody who was signed out is left in the store, reachable or not, but for entries of
 * an index that lead to nothing: these end with their index.
 */
async function judgeRemains(
  { history, provider }: World,
  arena: Arena,
): Promise<Pick<Settled, 'looked' | 'dangling'>> {
  const over = history.sessions.filter((session) => session.over !== undefined)
  const { found, looked } = await arena.examine((contents) =>
    findRemains({
      contents,
      keys: [KEY],
      issuer: provider.issuer,
      clientId: 'app',
      identities: over.map(({ sid }) => ({ sid })),
    }),
  )
  const leadsToNothing = ({ kind, what }: (typeof found)[number]): boolean =>
    kind === 'index_entry' && what.endsWith('There is no such record.')
  const dangling = found.filter(leadsToNothing).length
  for (const { kind, place, what, identities } of found.filter((one) => !leadsToNothing(one))) {
    const stories = identities.slice(0, 1).flatMap((at) => {
      const session = over[at]
      return session === undefined ? [] : storyOf(session)
    })
    history.violations.push({ promise: `${kind} is left at ${place}`, story: [what, ...stories] })
  }
  return { looked: looked.entries, dangling }
}
