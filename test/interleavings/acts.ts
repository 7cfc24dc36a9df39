import { AuthError } from '#coatcheck'
import { type Cast, NEW_SID } from './cast.ts'
import { ORIGIN, type TestProcess } from './process.ts'
import type { RememberingStores } from './remembering-store.ts'
import type { SignOut } from './scenario.ts'
import type { Person, World } from './world.ts'

/** Carries a sign-out out; resolves with whether success was answered. */
export async function signOut(
  { auth, point }: TestProcess,
  order: SignOut,
  { a }: Cast,
  {
    issuer,
    logoutToken,
    stores,
  }: { readonly issuer: string; readonly logoutToken: string; readonly stores: RememberingStores },
): Promise<boolean> {
  const ask = async (path: string, init?: RequestInit): Promise<number> =>
    (await auth.handle(new Request(`${ORIGIN}/auth/${path}`, init))).status

  switch (order.by) {
    case 'back_channel': {
      const body = new URLSearchParams({ logout_token: logoutToken })
      return (await ask('backchannel-logout', { method: 'POST', body })) === 200
    }
    case 'administrator':
      if (order.names === 'session') await auth.signOut({ session: a.handle ?? '' })
      else if (order.names === 'sid') await auth.signOut({ sid: a.sid })
      else await auth.signOut({ subject: a.sub })
      return true
    case 'user': {
      // With the cookies that this browser has now: those of a sign-in under way too.
      const cookie = a.browser.cookieHeader(ORIGIN)
      const headers = { cookie, origin: ORIGIN, 'sec-fetch-site': 'same-origin' }
      return (await ask('sign-out', { method: 'POST', headers })) === 303
    }
    case 'front_channel': {
      if (order.names === 'sid') {
        const named = new URLSearchParams({ iss: issuer, sid: a.sid })
        return (await ask(`frontchannel-logout?${named}`)) === 200
      }
      const headers = { cookie: a.cookie ?? '', 'sec-fetch-dest': 'iframe' }
      return (await ask('frontchannel-logout', { headers })) === 200
    }
    case 'everybody': {
      await auth.refuseSignInsUnderWay()
      await point('look through the contents')
      for (const { id } of await stores.contents('s.')) await auth.signOut({ session: id.slice(2) })
      return true
    }
  }
}

/** The logout token of a sign-out that comes with one. */
export async function logoutTokenOf(
  { provider }: World,
  { a, iat }: Cast,
  order: SignOut,
): Promise<string> {
  if (order.by !== 'back_channel') return ''
  const { names, later } = order
  const sid = names === 'new_sid' ? NEW_SID : names === 'subject' ? undefined : a.sid
  const sub = names === 'sid' ? undefined : a.sub
  return provider.logoutToken({ claims: { iat: iat + later, sid, sub, jti: `${names} ${later}` } })
}

/** The provider's answer to a sign-in comes back; resolves with the new session's cookie. */
export async function comeBack(
  { auth }: TestProcess,
  url: string,
  cookie: string,
): Promise<string | undefined> {
  const answer = await auth.handle(new Request(url, { headers: { cookie } }))
  const ticket = answer.headers.getSetCookie().find((line) => line.startsWith('__Host-coatcheck='))
  return answer.status === 303 ? ticket : undefined
}

/** The value of an access token; `undefined`: the user has to sign in. Rejects whatever else it is. */
export async function wantToken(
  { auth }: TestProcess,
  person: Person,
  how: {
    readonly by: 'cookie' | 'handle'
    readonly resource?: string | undefined
    readonly force?: boolean
    /** Another process may have died while it refreshed. */
    readonly mayGiveUp?: boolean
  },
): Promise<string | undefined> {
  const { by, resource, force = false, mayGiveUp = false } = how
  const from = by === 'cookie' ? withCookie(person) : sessionOf(person)
  try {
    const wanted = { forceRefresh: force, ...(resource !== undefined && { resource }) }
    return (await auth.accessToken(from, wanted)).value
  } catch (error) {
    const code = error instanceof AuthError ? error.code : undefined
    if (code === 'sign_in_required') return undefined
    if (code === 'provider_unreachable' && mayGiveUp) return undefined
    throw error
  }
}

/** Whether anybody is signed in with this cookie. */
export async function isSignedIn({ auth }: TestProcess, person: Person): Promise<boolean> {
  return (await auth.session(withCookie(person))) !== undefined
}

function withCookie({ cookie = '' }: Person): { headers: { cookie: string } } {
  return { headers: { cookie } }
}

/** What a job has that was handed a session when it began. */
function sessionOf({ handle = '', sub, sid }: Person) {
  const times = { establishedAt: 0, expiresAt: 0 }
  return { handle, subject: sub, sid, issuer: '', claims: {}, ...times }
}
