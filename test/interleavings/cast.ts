import type { TestBrowser } from '#coatcheck/testing/browser'
import type { Scenario, SignOut } from './scenario.ts'
import type { Person, World } from './world.ts'

/** Who is there before anything happens at the same time. */
export interface Cast {
  /** What everything is about. */
  readonly a: Person
  /** The same user in another browser, at another provider session. */
  readonly b: Person
  /** Another user. */
  readonly x: Person
  /** The sign-in that comes back, and what the browser asks for. */
  readonly c: { readonly person: Person; readonly url: string } | undefined
  /** When the sign-in that comes back was confirmed by the provider, in seconds. */
  readonly iat: number
}

/** The session the provider names in the ID tokens of A's refreshes, where the scenario says so. */
export const NEW_SID = 'S9'

/** Signs everybody in and lets the time pass. */
export async function gather(world: World, scenario: Scenario): Promise<Cast> {
  const { provider, sleepers, processes } = world
  const a = await world.signIn({ sub: 'U1', sid: 'S1' })
  const b = await world.signIn({ sub: 'U1', sid: 'S2' }, processes[1])
  const x = await world.signIn({ sub: 'U2', sid: 'S3' })
  sleepers.forwardTo(sleepers.now() + scenario.age * 1000)
  await world.settled()
  const iat = sleepers.now() / 1000
  if (scenario.signOuts.some(namesNewSid)) giveNewSid(world, a)
  if (scenario.callback === undefined) return { a, b, x, c: undefined, iat }

  const browser: TestBrowser = scenario.callback.browser === 'same' ? a.browser : world.newBrowser()
  const c = await world.approach({ sub: 'U1', sid: 'S1' }, browser)
  // Whatever time passes while others wait for each other: this is when it was.
  provider.next(
    'id_token',
    ({ claims }, request) => {
      if (request?.form.get('code') === c.person.code) claims['iat'] = iat
    },
    { grant: 'authorization_code', times: Number.POSITIVE_INFINITY },
  )
  return { a, b, x, c, iat }
}

/** Whether a sign-out is about the `sid` that comes with a refresh. */
function namesNewSid(signOut: SignOut): boolean {
  return signOut.by === 'back_channel' && signOut.names === 'new_sid'
}

function giveNewSid({ provider, families }: World, { code }: Person): void {
  provider.next(
    'id_token',
    ({ claims }, request) => {
      const refreshToken = request?.form.get('refresh_token') ?? ''
      if (families.codeOf(refreshToken) === code) claims['sid'] = NEW_SID
    },
    { grant: 'refresh_token', times: Number.POSITIVE_INFINITY },
  )
}
