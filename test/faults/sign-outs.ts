import type { AuthEvent } from '#coatcheck'
import type { Page } from '#coatcheck/testing/browser'
import type { Question, WireResponse } from '../processes/process.ts'
import { ORIGIN } from '../support/application.ts'
import type { CrewBrowser } from './browsers.ts'
import type { SignOut, SignOutWay } from './history.ts'
import type { Seat, World } from './world.ts'

/** Somebody signs the user of this seat out, in one of many ways. `false`: nobody said that it is done. */
export async function signOut(world: World, seat: Seat, how: SignOutWay): Promise<boolean> {
  const { browser, session } = seat
  if (session === undefined || browser === undefined) return false
  const { user, sid, handle } = session
  const known = world.history.signOutAsked({
    how,
    user,
    ...(!how.endsWith('subject') && { sid }),
    ...(how.startsWith('back-channel') && { issuedAt: Date.now() }),
  })
  const told = (event: AuthEvent): void => {
    if (event.type === 'sign_out_deferred') known.deferred = true
  }
  const ask = (question: Question): Promise<unknown> => {
    const member = world.crew.any()
    known.process = member.name
    return world.crew.ask(member, question, told)
  }
  const asked: Record<SignOutWay, () => Promise<boolean>> = {
    'back-channel by sid': async () => {
      const token = await world.provider.logoutToken({ session: { sub: user, sid } })
      return (await ask({ ask: 'logout', token })) === 200
    },
    'back-channel by subject': async () => {
      const token = await world.provider.logoutToken({ session: { sub: user, sid: undefined } })
      return (await ask({ ask: 'logout', token })) === 200
    },
    'front-channel': async () => {
      const query = new URLSearchParams({ iss: world.provider.issuer, sid })
      const url = `${ORIGIN}/auth/frontchannel-logout?${query}`
      const request = { method: 'GET', url, headers: [], body: undefined }
      return ((await ask({ ask: 'handle', request })) as WireResponse).status === 200
    },
    'by the user': async () => {
      browser.listener = {
        asked({ pathname }, member) {
          if (pathname === '/auth/sign-out') known.process = member.name
        },
        told,
      }
      return pressButton(world, browser, known)
    },
    'administrator by session': async () =>
      typeof (await ask({ ask: 'signOut', selector: { session: handle } })) === 'number',
    'administrator by sid': async () =>
      typeof (await ask({ ask: 'signOut', selector: { sid } })) === 'number',
    'administrator by subject': async () =>
      typeof (await ask({ ask: 'signOut', selector: { subject: user } })) === 'number',
  }
  const done = await asked[how]().catch(() => false)
  if (known.outcome === undefined) end(world, known, done)
  return known.outcome === 'done'
}

/** Half of the users do not wait for the provider's page. */
async function pressButton(world: World, browser: CrewBrowser, known: SignOut): Promise<boolean> {
  const page = await browser.post(`${ORIGIN}/auth/sign-out`, {}, { follow: false })
  const done = page.status < 400
  end(world, known, done)
  if (!done || world.random.next() < 0.5) return done
  try {
    for (let next: Page | undefined = page; next !== undefined; ) next = await browser.follow(next)
  } catch {
    // The provider is down, or a process died: the user is signed out all the same.
  }
  return done
}

function end(world: World, known: SignOut, done: boolean): void {
  world.history.signOutEnded(known, done ? 'done' : 'unknown')
  if (done) world.served += 1
  else world.failed += 1
}
