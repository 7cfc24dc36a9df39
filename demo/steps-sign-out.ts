import { ask } from './browser.ts'
import {
  answered,
  bothOf,
  callApi,
  countOf,
  eventsOfA,
  eventsOfB,
  eventually,
  holding,
  receiptsOf,
  shown,
} from './observations.ts'
import { greeting } from './steps-sign-in.ts'
import type { Step } from './walk.ts'

/** Alice signs out at B while A refreshes for her: the heart of the matter. */
export const signOuts: readonly Step[] = [
  {
    name: 'a refresh of A for Alice is under way: the provider has done it and not yet answered',
    async run({ demo, alice, notes }) {
      const { log, questions } = demo.provider
      notes.aliceCookie = alice.cookies(demo.origins.a)
      const before = log.issued.length
      const held = demo.provider.holdRefreshes()
      notes.release = held.release
      notes.heldCall = callApi(demo, alice, 1, true)
      // Its answer, good or bad, is for a later step.
      notes.heldCall.catch(() => undefined)
      await held.first
      notes.mintedWhileHeld = log.issued.length
      const active = await questions.isActive(notes.mintedWhileHeld)
      const caches = await bothOf(demo)
      return {
        observed: { newRefreshToken: notes.mintedWhileHeld, activeAtTheProvider: active, caches },
        expected: {
          'a new refresh token was minted': log.issued.length === before + 1 && active,
          'A still holds her session': holding(caches, 'alice', 1),
        },
      }
    },
  },
  {
    name: 'Alice signs out at B; the provider tells A, server to server',
    async run({ demo, alice }) {
      const { b } = demo.origins
      const question = await alice.submit(await alice.open(b), /auth\/sign-out/)
      const notices = demo.provider.log.notices.length
      const end = await alice.submit(question, /op\.logoutForm/, { logout: 'yes' })
      const cache = await countOf(demo, 'b')
      const receipt = receiptsOf(await eventsOfB(demo)).at(0)
      const told = demo.provider.log.notices.slice(notices)
      return {
        observed: { hops: [...question.hops, ...end.hops], told, cache, receipt: shown(receipt) },
        expected: {
          'B sent her to the provider': greeting(question) === 'Sign out everywhere?',
          'A answered the provider 200': told.some(
            (one) => one.client === 'app-a' && one.status === 200,
          ),
          'B brought her back': end.status === 200 && end.url === `${b}/`,
          'B holds nothing of hers': holding([cache], 'alice', 0) && cache.refreshTokens === 0,
          'B has a receipt': receipt?.cause === 'user' && receipt.removed === 1,
        },
      }
    },
  },
  {
    name: "Alice's tokens are gone from both processes of A, with a receipt; Bob's are not",
    async run({ demo, alice }) {
      const caches = await bothOf(demo)
      const answers = [await callApi(demo, alice, 1), await callApi(demo, alice, 2)].map((call) =>
        answered(demo, call),
      )
      const receipts = receiptsOf(await eventsOfA(demo))
      const receipt = receipts.find(({ cause }) => cause === 'back_channel')
      return {
        observed: { caches, callsWithHerCookie: answers, receipt: shown(receipt) },
        expected: {
          'no process holds a session of hers': holding(caches, 'alice', 0),
          "each holds Bob's": holding(caches, 'bob', 1),
          'no process serves her': answers.every(({ status }) => status === 401),
          'one receipt says so': receipt?.removed === 1 && receipt.tokens.refresh === 1,
        },
      }
    },
  },
  {
    name: 'the refresh comes back: its caller is refused, its new refresh token is revoked',
    async run({ demo, notes }) {
      const { log, questions } = demo.provider
      const number = notes.mintedWhileHeld ?? 0
      const activeBefore = await questions.isActive(number)
      notes.release?.()
      const caller = await notes.heldCall
      const revocations = await eventually(
        async () => log.revocations.filter((one) => one.number === number),
        (seen) => seen.some(({ status }) => status === 200),
      )
      const active = await questions.isActive(number)
      const caches = await bothOf(demo)
      const lost = (await eventsOfA(demo)).filter(({ type }) => type === 'refresh_lost').length
      return {
        observed: {
          caller: caller && answered(demo, caller),
          refreshLostEvents: lost,
          caches,
          revocations,
          newRefreshToken: number,
          activeAtTheProvider: { before: activeBefore, after: active },
        },
        expected: {
          'it was alive until then': activeBefore,
          'the caller got 401 sign_in_required':
            caller?.status === 401 && caller.body.includes('sign_in_required'),
          'A said that the refresh was lost': lost === 1,
          'nothing came back': holding(caches, 'alice', 0),
          'the provider was asked to revoke it': revocations.some(({ status }) => status === 200),
          'it is dead': !active,
        },
      }
    },
  },
  {
    name: "every refresh token Alice ever had is dead at the provider, Bob's is alive",
    async run({ demo }) {
      const { log, questions } = demo.provider
      const tokens = await eventually(
        () =>
          Promise.all(
            log.issued.map(async ({ client, account }, at) => {
              return { number: at + 1, client, account, active: await questions.isActive(at + 1) }
            }),
          ),
        (seen) => seen.every(({ account, active }) => account !== 'alice' || !active),
      )
      const used = await Promise.all(
        tokens
          .filter(({ account }) => account === 'alice')
          .slice(-2)
          .map(async ({ number }) => ({ number, answer: await questions.spend(number) })),
      )
      const events = [...(await eventsOfA(demo)), ...(await eventsOfB(demo))]
      const revocations = events.flatMap((event) =>
        event.type === 'revocation' ? [`${event.token} ${event.outcome}`] : [],
      )
      return {
        observed: { refreshTokens: tokens, triedToUse: used, revocationEvents: revocations },
        expected: {
          "Alice's are dead": tokens.every(({ account, active }) => account !== 'alice' || !active),
          'using them is refused': used.every(({ answer }) => answer === '400 invalid_grant'),
          "Bob's is alive": tokens.some(({ account, active }) => account === 'bob' && active),
          'A and B heard the provider confirm':
            revocations.filter((one) => one === 'refresh_token confirmed').length >= 3,
        },
      }
    },
  },
  {
    name: "Alice's old cookie, replayed at each process, is worth nothing",
    async run({ demo, notes }) {
      const headers = { cookie: notes.aliceCookie ?? '', accept: 'application/json' }
      const replays = await Promise.all(
        demo.direct.map(async ({ origin }, at) => {
          const { status } = await ask(`${origin}/call`, { headers })
          const { body } = await ask(`${origin}/`, { headers })
          return { process: at + 1, status, signedIn: !body.includes('You are not signed in') }
        }),
      )
      return {
        observed: { cookiesSent: headers.cookie.split('; ').filter(Boolean).length, replays },
        expected: {
          'there was a cookie': headers.cookie !== '',
          'both refuse': replays.every(({ status, signedIn }) => status === 401 && !signedIn),
        },
      }
    },
  },
]
