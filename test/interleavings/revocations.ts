import { heard, receiptsOf } from './heard.ts'
import { holds } from './promise.ts'
import type { Scenario } from './scenario.ts'
import type { Person, World } from './world.ts'

/**
 * Whatever the provider gave for a session that is gone was spent, has expired, or was revoked,
 * once. Where nobody trustworthy asked for it (front-channel), and where another session lives on
 * the same grant, that goes for what a lost refresh brought.
 */
export function lookAtTokens(world: World, person: Person): void {
  const { families, provider } = world
  const [receipt] = receiptsOf(world, person)
  const answers = families.of(person.code)
  const neverWas = person.handle === undefined
  if (receipt === undefined && !neverWas) return
  const revoked = provider.revoked.map(({ token }) => token)
  holds('revoked', new Set(revoked).size === revoked.length, 'a token was revoked twice')

  const refreshes = heard(world, 'refreshed').filter(({ session }) => session === person.handle)
  const kept = neverWas ? 0 : 1 + refreshes.length
  const silent = receipt?.cause === 'front_channel' || receipt?.cause === 'replaced'
  // Each refresh spent what the answer before it brought.
  const owed = neverWas ? answers : answers.slice(silent ? kept : kept - 1)
  const live = provider.liveAccessTokens()
  owed.forEach(({ refreshToken, accessToken }, at) => {
    const spent = at < owed.length - 1
    holds('revoked', spent || revoked.includes(refreshToken), 'a refresh token was not revoked')
    const over = !live.includes(accessToken)
    holds('revoked', over || revoked.includes(accessToken), 'an access token was not revoked')
  })
}

/** Where a process died, the provider may hear of it twice, and what died with it never came. */
export function lookAtDeadTokens(world: World, person: Person, scenario: Scenario): void {
  const { families, provider } = world
  const silent =
    scenario.callback?.browser === 'same' ||
    scenario.signOuts.some(({ by }) => by === 'front_channel')
  // Nobody knows a refresh token that came to a process which died before it wrote it down.
  if (silent || person.handle === undefined) return
  const live = [...provider.liveRefreshTokens(), ...provider.liveAccessTokens()]
  const left = families
    .of(person.code)
    .filter((answer) => live.includes(answer.refreshToken) || live.includes(answer.accessToken))
  holds('revoked', left.length === 0, 'a token of a session that ended still lives')
}
