import assert from 'node:assert/strict'
import type { Page } from '#coatcheck/testing/browser'
import { ORIGIN } from '../support/application.ts'
import {
  assertGone,
  assertServed,
  type Deployment,
  type Member,
  type SignedIn,
  signOutWays,
  type Visitor,
} from './deployment.ts'

/** The processes of an application, each on a stage of something that is rolled out. */
export interface Stages {
  readonly members: readonly Member[]
  stageOf(member: Member): number
}

/** Somebody who signed in, and who answered the callback, on which stage. */
export interface Person extends SignedIn {
  readonly maker: Member
  readonly stage: number
}

/** A sign-out: who heard of it, on which stage. */
export interface Departure {
  readonly person: Person
  readonly way: string
  readonly hearer: Member
  readonly stage: number
}

/** People who come and go while processes of different stages run at the same time. */
export interface Crowd {
  /** Those whom nobody signs out. */
  readonly staying: readonly Person[]
  readonly departures: readonly Departure[]
  /** On each stage some sign in who stay; where there are two also one for each of these ways. */
  arrive(ways: readonly string[]): Promise<void>
  /** Each process gets a new token for somebody whose session another one made. */
  refresh(): Promise<void>
  /**
   * Where two stages run a sign-out of each of these kinds is heard on each, of sessions made on the
   * other. Then those leave whose session was made on an earlier stage.
   */
  leave(ways: readonly string[]): Promise<void>
  /** At each process somebody begins to sign in whom a sign-out overtakes, and somebody else. */
  depart(): Promise<Travellers>
}

/** Those who are at the provider. */
export interface Travellers {
  /** They come back, to another process than they left. */
  comeBack(): Promise<void>
}

/** On each stage, at each arrival. */
const STAYING = 3

/** Nobody yet. */
export function createCrowd(deployment: Deployment, stages: Stages): Crowd {
  const present: Person[] = []
  const staying: Person[] = []
  const departures: Departure[] = []
  let count = 0

  const besides = (member: Member): Member => {
    const { members } = stages
    return members[(members.indexOf(member) + 1) % members.length] ?? member
  }
  const stagesRunning = (): number[] => [...new Set(stages.members.map(stages.stageOf))]
  const on = (stage: number): Member[] =>
    stages.members.filter((member) => stages.stageOf(member) === stage)

  /** Whose session the hearer ends: one of the other stage that runs, or an older one. */
  function choose(hearer: Member): Person {
    const ours = stages.stageOf(hearer)
    const others = stagesRunning().filter((stage) => stage !== ours)
    const wishes: ((person: Person) => boolean)[] = [
      ({ stage }) => others.includes(stage),
      ({ stage }) => stage !== ours,
      ({ maker }) => maker !== hearer,
    ]
    for (const wish of wishes) {
      const at = present.findIndex(wish)
      if (at >= 0) return present.splice(at, 1)[0] ?? assert.fail()
    }
    return assert.fail('Nobody is left to sign out.')
  }

  return {
    staying,
    departures,
    async arrive(ways) {
      const running = stagesRunning()
      const coming = STAYING + (running.length > 1 ? ways.length + 1 : 0)
      const arrivals = running.flatMap((stage) => {
        const makers = on(stage)
        return Array.from({ length: coming }, async (_, nth) => {
          const maker = makers[nth % makers.length] ?? assert.fail()
          const person = await deployment.signIn(`U${++count}`, besides(maker), maker)
          return { ...person, maker, stage }
        })
      })
      const arrived = await Promise.all(arrivals)
      for (const [at, person] of arrived.entries()) {
        const isStaying = at % coming < STAYING
        ;(isStaying ? staying : present).push(person)
      }
      // Each by another process than the last time.
      const { members } = stages
      const served = staying.map((person, at) => {
        const member = members[(at + count) % members.length] ?? assert.fail()
        return assertServed(person, [member])
      })
      await Promise.all(served)
    },
    async refresh() {
      for (const [nth, member] of stages.members.entries()) {
        // The very first is left as it was sealed.
        const theirs = staying.slice(1).filter(({ maker }) => maker !== member)
        const { cookie, subject } = theirs.at(-1 - (nth % theirs.length)) ?? assert.fail()
        const token = await member.ask({ ask: 'accessToken', cookie, force: true })
        assert.equal(typeof token, 'string', `${subject}: ${JSON.stringify(token)}`)
        for (const other of stages.members) {
          assert.equal(await other.ask({ ask: 'accessToken', cookie }), token)
        }
      }
    },
    async leave(ways) {
      const running = stagesRunning()
      const leaving = running.flatMap((stage) => {
        const hearers = on(stage)
        const heard = running.length > 1 ? ways : ways.slice(0, present.length)
        return heard.map((way, nth) => {
          const hearer = hearers[nth % hearers.length] ?? assert.fail()
          return { way, hearer, stage, person: choose(hearer) }
        })
      })
      const signOuts = leaving.map(async (departure) => {
        const { way, hearer, person } = departure
        await signOutWays[way]?.(deployment, hearer, person)
        departures.push(departure)
        await assertGone(person, stages.members)
      })
      await Promise.all(signOuts)
    },
    async depart() {
      const begun = stages.members.flatMap((member, at) =>
        [true, false].map(async (isOvertaken) => {
          const subject = `late-${++count}`
          const visitor = deployment.browser(member)
          const page = await departFor(visitor, subject)
          const hearer = besides(member)
          if (isOvertaken) await hearer.ask({ ask: 'signOut', selector: { subject } })
          return { at, subject, visitor, page, isOvertaken }
        }),
      )
      const travellers = await Promise.all(begun)
      return {
        async comeBack() {
          const { members } = stages
          for (const { at, subject, visitor, page, isOvertaken } of travellers) {
            const next = members[(at + 1) % members.length] ?? assert.fail()
            const cookie = await comeBack(visitor, page, next)
            if (isOvertaken) {
              assert.equal(cookie, undefined)
              const failure = next.events.findLast(({ type }) => type === 'sign_in_failed')
              assert.ok(failure?.type === 'sign_in_failed')
              assert.equal(failure.code, 'signed_out_meanwhile')
            } else {
              assert.ok(cookie, `${subject} did not get in`)
              await assertServed({ subject, cookie }, members)
            }
          }
        },
      }
    },
  }
}

/** Goes as far as the provider, which sends the browser back with the page that comes next. */
async function departFor({ browser }: Visitor, subject: string): Promise<Page> {
  const url = `${ORIGIN}/auth/sign-in?login_hint=${subject}`
  const first = await browser.get(url, { follow: false })
  assert.equal(first.status, 303, first.text)
  return (await browser.follow(first)) ?? assert.fail()
}

async function comeBack(
  { browser, askNext }: Visitor,
  page: Page,
  member: Member,
): Promise<string | undefined> {
  askNext(member)
  await browser.follow(page)
  const ticket = browser.cookies.find(({ name }) => name === '__Host-coatcheck')
  return ticket && `__Host-coatcheck=${ticket.value}`
}
