import type { ProviderRequest } from '#coatcheck/testing/provider/exchange'
import { type KnownSession, storyOf } from './history.ts'
import type { World } from './world.ts'

/** Ends that nobody asked for, and that no promise excludes: how many of each, and why. */
export type Excuses = Map<string, number>

const KILLED = 'session lost: its process was killed between the answer to a refresh and the store'
const UNANSWERED = 'session lost: the provider rotated its refresh token and could not answer'
const PRIMARY = 'session lost: the primary died before its replica had the sign-in or the refresh'

/**
 * One refresh per rotation: no refresh token comes to the provider a second time, unless whoever
 * spent it could not keep its successor. Each that came is looked at once.
 */
export function judgeRotations(world: World, seen: { count: number }): void {
  const { provider, history } = world
  for (const { kind, value } of provider.reused.slice(seen.count)) {
    seen.count += 1
    if (excuseOf(world, value) !== undefined) continue
    const requests = world.provider.requests.filter((request) => isWith(request, value))
    const story = requests.map(({ at, headers }) => `${at} from ${headers.get('x-process')}`)
    const sid = provider.issued.find((one) => one.value === value)?.sid
    const session = history.sessions.find((one) => one.sid === sid)
    history.violations.push({
      promise: `a ${kind} came twice`,
      story: [...story, ...(session === undefined ? [`sid ${sid}`] : storyOf(session))],
    })
  }
}

/** Nobody else loses a session: whoever did has to be excused. */
export function judgeLosses(world: World, excuses: Excuses): void {
  for (const session of world.history.takeLost()) {
    const excuse = excuseOfLoss(world, session)
    if (excuse !== undefined) excuses.set(excuse, (excuses.get(excuse) ?? 0) + 1)
    else {
      const promise = 'a session was lost that nobody signed out'
      const story = [...storyOf(session), ...signOutsOf(world, session)]
      world.history.violations.push({ promise, story })
    }
  }
}

/** All sign-outs of the user, and where they were asked. */
function signOutsOf({ history }: World, { user }: KnownSession): string[] {
  return history.signOuts
    .filter((signOut) => signOut.user === user)
    .map(({ number, how, process, askedAt, endedAt, outcome, deferred }) => {
      const later = deferred ? ', to be done later' : ''
      return `sign-out ${number} (${how}) in ${process}, ${askedAt} to ${endedAt}: ${outcome}${later}`
    })
}

function excuseOfLoss(world: World, session: KnownSession): string | undefined {
  const { provider } = world
  const { sid } = session
  for (const { value } of provider.reused) {
    if (provider.issued.find((one) => one.value === value)?.sid !== sid) continue
    const excuse = excuseOf(world, value)
    if (excuse !== undefined) return excuse
  }
  return lostWithPrimary(world, session) ? PRIMARY : undefined
}

/** Whether the primary that took a sign-in died before its replica can be trusted to have it. */
export function lostWithPrimary({ faults }: World, session: KnownSession): boolean {
  const { beganMilliseconds, signedInMilliseconds } = session
  return faults.primariesLost.some(
    (at) => beganMilliseconds - BEHIND <= at && at <= signedInMilliseconds + BEHIND,
  )
}

/** Why a refresh token may have come twice. */
function excuseOf(world: World, refreshToken: string): string | undefined {
  const { provider, faults, crew, history } = world
  const requests = provider.requests.filter((request) => isWith(request, refreshToken))
  const sid = provider.issued.find((one) => one.value === refreshToken)?.sid
  const handle = history.sessions.find((session) => session.sid === sid)?.handle ?? ''
  for (const request of requests.slice(0, -1)) {
    if (faults.unanswered.has(request)) return UNANSWERED
    const member = crew.all.get(request.headers.get('x-process') ?? '')
    const kept = member?.refreshed.get(handle)?.find((at) => at >= request.at)
    const killedAt = member?.killedAt
    if (killedAt !== undefined && killedAt >= request.at && kept === undefined) return KILLED
    const until = kept ?? request.at + LONGEST_REFRESH
    const fell = (at: number): boolean => request.at - BEHIND <= at && at <= until + BEHIND
    if (faults.primariesLost.some(fell)) return PRIMARY
  }
  return undefined
}

function isWith({ grant, form }: ProviderRequest, refreshToken: string): boolean {
  return grant === 'refresh_token' && form.get('refresh_token') === refreshToken
}

/** No replica is further behind its primary, in milliseconds. */
const BEHIND = 500
/** From the request to the write, in milliseconds. */
const LONGEST_REFRESH = 12_000
