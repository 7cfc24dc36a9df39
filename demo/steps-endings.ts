import { existsSync } from 'node:fs'
import { ask } from './browser.ts'
import {
  answered,
  bothOf,
  callApi,
  eventsOfA,
  eventually,
  holding,
  receiptsOf,
  shown,
} from './observations.ts'
import { greeting, signIn } from './steps-sign-in.ts'
import type { Step } from './walk.ts'

/** The provider is down, and then everything is. */
export const endings: readonly Step[] = [
  {
    name: 'the provider is down: Alice can sign out of A all the same',
    async run({ demo, alice }) {
      const { a } = demo.origins
      const { log, questions } = demo.provider
      await signIn(alice, a, 'alice')
      const cookie = alice.cookies(a)
      const refreshToken = log.issued.length
      const page = await alice.open(a)
      const startProvider = await demo.stopProvider()
      const unreachable = await ask(`${demo.origins.provider}/jwks`).then(
        ({ status }) => status,
        (error: NodeJS.ErrnoException) => error.code,
      )
      const answer = await alice.open(`${a}/auth/sign-out`, {
        method: 'POST',
        form: { return_to: '/' },
        from: page.url,
        stay: true,
      })
      const onward = String(answer.headers['location'] ?? '')
      const caches = await bothOf(demo)
      const replay = await ask(`${demo.direct[0]?.origin}/call`, {
        headers: { cookie, accept: 'application/json' },
      })
      const signedOutWhileDown = greeting(await alice.open(a))
      await startProvider()

      // Her browser tries again where A had sent it, and comes back.
      const question = await alice.open(onward, { from: a })
      const end = await alice.submit(question, /op\.logoutForm/, { logout: 'yes' })
      const activeAfter = await eventually(
        () => questions.isActive(refreshToken),
        (active) => !active,
      )
      const receipt = receiptsOf(await eventsOfA(demo)).findLast(({ cause }) => cause === 'user')
      return {
        observed: {
          provider: unreachable,
          signOut: { status: answer.status, cookieCleared: alice.cookies(a) !== cookie },
          caches,
          replayedCookie: replay.status,
          page: signedOutWhileDown,
          receipt: shown(receipt),
          afterItCameBack: {
            broughtBackTo: new URL(end.url).host,
            refreshToken,
            active: activeAfter,
          },
        },
        expected: {
          'the provider did not answer': unreachable === 'ECONNREFUSED',
          'the sign-out was answered': answer.status === 303,
          'both processes forgot her': holding(caches, 'alice', 0),
          'her old cookie is refused': replay.status === 401,
          'A says that she is signed out': signedOutWhileDown === 'You are not signed in',
          'her browser came back to A': end.status === 200 && end.url === `${a}/`,
          'her refresh token is revoked once the provider is back': !activeAfter,
        },
      }
    },
  },
  {
    name: 'and nobody is left',
    async run({ demo, alice, bob }) {
      const caches = await bothOf(demo)
      const calls = await Promise.all([
        callApi(demo, alice, 1),
        callApi(demo, alice, 'b'),
        callApi(demo, bob, 2),
      ])
      const answers = calls.map((call) => answered(demo, call))
      return {
        observed: { caches, answers },
        expected: {
          'no session is held': holding(caches, 'alice', 0) && holding(caches, 'bob', 0),
          'no token is served': answers.every(({ status }) => status === 401),
        },
      }
    },
  },
  {
    name: 'everything stops and leaves nothing behind',
    async run({ demo }) {
      const ended = await demo.stop()
      const urls = [...Object.values(demo.origins), ...demo.direct.map(({ origin }) => origin)]
      const listening = await Promise.all(
        urls.map((url) =>
          ask(url).then(
            () => true,
            () => false,
          ),
        ),
      )
      const alive = demo.direct.filter(({ pid }) => isAlive(pid)).length
      const folderExists = existsSync(demo.folder)
      return {
        observed: {
          exitCodesOfA: ended,
          processesAlive: alive,
          portsListening: listening.filter(Boolean).length,
          folderExists,
        },
        expected: {
          'both processes ended by themselves': ended.every((code) => code === 0),
          'no process is alive': alive === 0,
          'no port listens': !listening.some(Boolean),
          'the folder is gone': !folderExists,
        },
      }
    },
  },
]

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
