import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { SignJWT, UnsecuredJWT } from 'jose'
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
import { greeting, signIn } from './steps-sign-in.ts'
import type { Step } from './walk.ts'

/** Forgeries end nothing, signing in again works, and the other ways to be signed out. */
export const others: readonly Step[] = [
  {
    name: 'forged logout tokens that name Bob are refused and end nothing',
    async run({ demo, bob }) {
      const url = `${demo.origins.a}/auth/backchannel-logout`
      const forged = await forgeries(
        demo.provider.issuer,
        'bob',
        demo.provider.log.logoutToken(url),
      )
      const answers: Record<string, number> = {}
      for (const [kind, logout_token] of Object.entries(forged)) {
        answers[kind] = (await ask(url, { method: 'POST', form: { logout_token } })).status
      }
      const refused = (await eventsOfA(demo)).flatMap((event) =>
        event.type === 'logout_refused' ? [event.reason] : [],
      )
      const caches = await bothOf(demo)
      const calls = [await callApi(demo, bob, 1), await callApi(demo, bob, 2)]
      const bobs = calls.map((call) => answered(demo, call))
      return {
        observed: { answers, refused, caches, bobsCalls: bobs },
        expected: {
          'each got 400': Object.values(answers).every((status) => status === 400),
          'each was told to the application': refused.length === Object.keys(answers).length,
          'Bob is signed in': holding(caches, 'bob', 1),
          'both processes serve him': bobs.every(
            ({ status, hello }) => status === 200 && hello === 'bob',
          ),
        },
      }
    },
  },
  {
    name: 'Alice signs in again; the logout token of before, sent again, does not end that',
    async run({ demo, alice }) {
      const { page, asked } = await signIn(alice, demo.origins.a, 'alice')
      const url = `${demo.origins.a}/auth/backchannel-logout`
      const logout_token = demo.provider.log.logoutToken(url) ?? ''
      const replay = await ask(url, { method: 'POST', form: { logout_token } })
      const call = answered(demo, await callApi(demo, alice, 2))
      const caches = await bothOf(demo)
      return {
        observed: {
          askedWho: asked,
          greeted: greeting(page),
          replayed: replay.status,
          call,
          caches,
        },
        expected: {
          'the provider asked who she is': asked,
          'she is not blocked': greeting(page) === 'Hello, Alice' && call['status'] === 200,
          'the replay is answered 200, without effect':
            replay.status === 200 && holding(caches, 'alice', 1),
        },
      }
    },
  },
  {
    name: "Alice signs out at A; B hears of it in a frame of the provider's page, without any cookie",
    async run({ demo, alice }) {
      const { a, b } = demo.origins
      await signIn(alice, b, 'alice')
      const { log, questions } = demo.provider
      const refreshToken = log.issued.length
      const before = await countOf(demo, 'b')
      const question = await alice.submit(await alice.open(a), /auth\/sign-out/)
      const frames = await alice.submit(question, /op\.logoutForm/, { logout: 'yes' })
      const source =
        /<iframe[^>]* src="([^"]*)"/.exec(frames.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
      const frame = await alice.frame(source, frames.url)
      const onward =
        /id="onward" href="([^"]*)"/.exec(frames.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
      const end = await alice.open(onward, { from: frames.url })
      const after = await countOf(demo, 'b')
      const receipt = receiptsOf(await eventsOfB(demo)).find(
        ({ cause }) => cause === 'front_channel',
      )
      const caches = await bothOf(demo)
      const active = await questions.isActive(refreshToken)
      return {
        observed: {
          frame: {
            of: new URL(source).host,
            parameters: [...new URL(source).searchParams.keys()],
            cookiesSent: frame.cookiesSent,
            status: frame.status,
            setsCookies: frame.headers['set-cookie'] !== undefined,
          },
          b: { before, after, refreshToken, activeAtTheProvider: active },
          receipt: shown(receipt),
          a: caches,
          broughtBackTo: new URL(end.url).host,
        },
        expected: {
          'B held her session': holding([before], 'alice', 1),
          'B answered the frame 200, without a cookie':
            frame.status === 200 && frame.cookiesSent === 0,
          'B holds nothing of hers now': holding([after], 'alice', 0),
          'a receipt says so': receipt?.removed === 1,
          'nothing is revoked on an unsigned word': receipt?.revocationsOwed === 0 && active,
          'A holds nothing of hers either': holding(caches, 'alice', 0),
          'she is back at A': end.status === 200 && end.url === `${a}/`,
        },
      }
    },
  },
  {
    name: 'an administrator removes Bob',
    async run({ demo, bob }) {
      const answer = await bob.open(`${demo.origins.a}/administrator/sign-out`, {
        method: 'POST',
        form: { subject: 'bob' },
        headers: { accept: 'application/json' },
      })
      const receipt = JSON.parse(answer.body)
      const caches = await bothOf(demo)
      const calls = [await callApi(demo, bob, 1), await callApi(demo, bob, 2)]
      const bobs = calls.map((call) => answered(demo, call))
      const revoked = await bobsRefreshTokens(demo.provider)
      return {
        observed: { receipt: shown(receipt), caches, hisCalls: bobs, hisRefreshTokens: revoked },
        expected: {
          'a receipt says so': receipt.cause === 'administrator' && receipt.removed === 1,
          'both processes forgot him': holding(caches, 'bob', 0),
          'no process serves him': bobs.every(({ status }) => status === 401),
          'his refresh token is dead at the provider': revoked.every(({ active }) => !active),
        },
      }
    },
  },
]

/** What an attacker may send: each names the user, or is a genuine token turned to him. */
async function forgeries(
  issuer: string,
  sub: string,
  genuine: string | undefined,
): Promise<Readonly<Record<string, string>>> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const header = { alg: 'RS256', kid: 'demo', typ: 'logout+jwt' }
  const token = (): SignJWT =>
    new SignJWT({ sub, events, jti: randomUUID() })
      .setIssuer(issuer)
      .setAudience('app-a')
      .setIssuedAt()
      .setExpirationTime('2 minutes')
  const [head = '', payload = '', signature = ''] = (genuine ?? '').split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}')
  const turned = Buffer.from(JSON.stringify({ ...claims, sub, sid: undefined, jti: randomUUID() }))
  return {
    'signed with another key': await token().setProtectedHeader(header).sign(privateKey),
    'not signed': new UnsecuredJWT({ sub, events, jti: randomUUID() })
      .setIssuer(issuer)
      .setAudience('app-a')
      .setIssuedAt()
      .setExpirationTime('2 minutes')
      .encode(),
    'a genuine one with another user in it': `${head}.${turned.toString('base64url')}.${signature}`,
    'not a token': 'Bob, please leave',
  }
}

/** Bob's refresh tokens, once the revocations that are owed had their time. */
function bobsRefreshTokens({
  log,
  questions,
}: {
  readonly log: { readonly issued: readonly { readonly account: string }[] }
  readonly questions: { isActive(number: number): Promise<boolean> }
}): Promise<{ readonly number: number; readonly active: boolean }[]> {
  const numbers = log.issued.flatMap(({ account }, at) => (account === 'bob' ? [at + 1] : []))
  return eventually(
    () =>
      Promise.all(
        numbers.map(async (number) => ({ number, active: await questions.isActive(number) })),
      ),
    (seen) => seen.every(({ active }) => !active),
  )
}
