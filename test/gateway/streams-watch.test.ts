import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { SessionSummary } from '#coatcheck'
import { AuthError } from '#coatcheck'
import { jsonLogger } from '#gateway/server/log'
import { createOpenStreams } from '#gateway/streams/open-streams'
import { watchStreams } from '#gateway/streams/watch'

const BOUND_SECONDS = 5
const BOUND = BOUND_SECONDS * 1000

describe('sessions that end in another process, with a clock that the test moves', () => {
  it('are found within the bound among ten thousand that opened something at the same moment', async (t) => {
    const at = start(t)
    at.open(10_000)
    // One after another, over the time of three bounds.
    for (let elapsed = 0; elapsed < 3 * BOUND; elapsed += 1) {
      if (elapsed % 3 === 0) at.endElsewhere(`session-${elapsed / 3}`)
      await at.pass(1)
    }
    await at.pass(BOUND)
    assert.equal(at.delays().length, BOUND)
    assert.ok(Math.max(...at.delays()) <= BOUND, `${Math.max(...at.delays())} ms`)
    assert.equal(at.streams.size, 10_000 - BOUND, 'others were closed too')
    assert.equal(at.mostAtOnce(), 32)
    assert.deepEqual(at.lines, [])
  })

  it('are not asked about while they are young, and then once for half of the bound', async (t) => {
    const at = start(t)
    at.open(10)
    await at.pass(0.4 * BOUND)
    assert.equal(at.asked(), 0)
    await at.pass(0.2 * BOUND)
    assert.equal(at.asked(), 10)
    await at.pass(10 * BOUND)
    assert.ok(at.asked() <= 10 * 21, `${at.asked()} questions`)
    assert.equal(at.streams.size, 10)
  })

  it('are gone in time also where the store is too slow to tell of so many', async (t) => {
    const at = start(t, { answersAfter: 200 })
    at.open(5000)
    at.endElsewhere('session-4999')
    await at.pass(BOUND)
    assert.equal(at.delays().length, 1)
    assert.match(at.lines.join(''), /"streams_closed_blind","sessions":\d+/)
    // Those that it told of in time are still there.
    assert.ok(at.streams.size >= 32 * 7, `${at.streams.size} left`)
  })

  it('are gone in time also where the store says nothing, and nobody is taken for signed out', async (t) => {
    const at = start(t, { answersAfter: Number.POSITIVE_INFINITY })
    at.open(1000)
    await at.pass(0.8 * BOUND)
    assert.equal(at.streams.size, 1000)
    await at.pass(0.2 * BOUND)
    assert.equal(at.streams.size, 0)
    at.open(1)
    assert.equal(at.streams.size, 1)
  })
})

describe('sessions that go on', () => {
  it('keep their streams through an outage of three tenths of the bound', async (t) => {
    const at = start(t)
    at.open(1000)
    await at.pass(0.5 * BOUND)
    at.away(true)
    await at.pass(0.3 * BOUND)
    at.away(false)
    await at.pass(3 * BOUND)
    assert.equal(at.streams.size, 1000)
  })

  it('keep their streams when the whole machine was suspended for a minute', async (t) => {
    const at = start(t)
    at.open(1000)
    at.suspend(60_000)
    await at.pass(3 * BOUND)
    assert.equal(at.streams.size, 1000)
    assert.deepEqual(at.lines, [])
  })
})

/** A store that takes its time by the test's clock, and whatever is open in this process. */
function start(t: TestContext, { answersAfter = 1 } = {}) {
  t.mock.timers.enable({ apis: ['Date', 'setInterval', 'setTimeout'], now: 1e12 })
  const streams = createOpenStreams()
  const endedAt = new Map<string, number>()
  const delays: number[] = []
  const lines: string[] = []
  const logger = jsonLogger('debug', (line) => lines.push(line))
  let [asked, underWay, most] = [0, 0, 0]
  let isAway = false

  async function sessions(of: object): Promise<SessionSummary[]> {
    const handle = String(Reflect.get(of, 'session'))
    asked += 1
    underWay += 1
    most = Math.max(most, underWay)
    try {
      if (isAway) throw new AuthError('store_unavailable', 'away')
      const isThere = !endedAt.has(handle)
      await new Promise<void>((resolve) => {
        if (Number.isFinite(answersAfter)) setTimeout(resolve, answersAfter)
      })
      return isThere ? [{ handle } as SessionSummary] : []
    } finally {
      underWay -= 1
    }
  }

  const watch = watchStreams({ sessions }, streams, BOUND_SECONDS, logger)
  t.after(() => watch.stop())
  return {
    streams,
    lines,
    asked: () => asked,
    mostAtOnce: () => most,
    /** How long after the end of its session each of these was closed. */
    delays: () => delays,
    open(count: number) {
      for (let nth = 0; nth < count; nth += 1) {
        const handle = `session-${nth}`
        const close = (): void => {
          const ended = endedAt.get(handle)
          if (ended !== undefined) delays.push(Date.now() - ended)
        }
        streams.add({ handle }, { close, lasts: () => true })
      }
    },
    endElsewhere: (handle: string) => void endedAt.set(handle, Date.now()),
    away: (is: boolean) => {
      isAway = is
    },
    suspend: (milliseconds: number) => t.mock.timers.setTime(Date.now() + milliseconds),
    async pass(milliseconds: number) {
      for (let elapsed = 0; elapsed < milliseconds; elapsed += 1) {
        t.mock.timers.tick(1)
        // Answers, and then the next questions.
        await turn()
        await turn()
      }
    },
  }
}
