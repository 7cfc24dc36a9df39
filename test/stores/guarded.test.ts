import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AuthError, type AuthEvent, type TokenStore } from '#coatcheck'
import { type GuardedStore, guardStore } from '#coatcheck/core/tokens/guarded-store'
import { memoryStore } from '#coatcheck/stores/memory'
import { settle, startClock } from '../support/application.ts'

interface Guarded extends GuardedStore {
  readonly events: AuthEvent[]
  /** How many waits were begun. */
  readonly waits: () => number
  readonly now: () => number
  pass(milliseconds: number): Promise<void>
}

function guard(over: Partial<TokenStore>): Guarded {
  const clock = startClock()
  const events: AuthEvent[] = []
  let waits = 0
  const guarded = guardStore(
    { ...memoryStore({ now: clock.now }), ...over },
    {
      limit: 2_000,
      emit: (event) => events.push(event),
      environment: {
        random: (length) => new Uint8Array(length),
        wait(...given) {
          waits += 1
          return clock.wait(...given)
        },
      },
    },
  )
  return {
    ...guarded,
    events,
    waits: () => waits,
    now: clock.now,
    async pass(milliseconds) {
      for (let passed = 0; passed < milliseconds; passed += 50) {
        clock.forward(50)
        await settle()
      }
    },
  }
}

const BYTES = Buffer.from('bytes')

describe('a guarded store', () => {
  it('has at hand what the store has at hand, and waits for nothing', () => {
    const { store, waits } = guard({ get: () => BYTES, now: () => 7 })
    assert.equal(store.get('s.1'), BYTES)
    assert.equal(store.now(), 7)
    assert.equal(waits(), 0)
  })

  it('watches thousands of calls by one wait at a time, and none once they are answered', async () => {
    const { store, waits, pass } = guard({ get: async () => BYTES })
    for (let time = 0; time < 10; time += 1) {
      await Promise.all(Array.from({ length: 1_000 }, () => store.get('s.1')))
    }
    assert.equal(waits(), 1)
    await pass(60_000)
    assert.equal(waits(), 1)
  })

  it('gives each call its time, however many began before and after', async () => {
    const { store, pass } = guard({ list: () => new Promise(() => {}) })
    const ended: number[] = []
    for (let call = 0; call < 10; call += 1) {
      const began = call * 300
      store.list('i', { limit: 1 }).catch(() => ended.push(began))
      await pass(300)
    }
    // At 3000 ms those that began until 1000 ms must be over, and those since 1250 ms cannot be.
    assert.deepEqual(ended.slice(0, 4), [0, 300, 600, 900])
    assert.ok(ended.length <= 5)
  })

  it('does not give up what was answered while the process stood still', async () => {
    const clock = startClock()
    let answer = (): void => {}
    const { store } = guardStore(
      {
        ...memoryStore(),
        get: () =>
          new Promise((resolve) => {
            answer = () => resolve(BYTES)
          }),
      },
      { limit: 2_000, emit() {}, environment: { random: () => BYTES, wait: clock.wait } },
    )
    const got = store.get('s.1')
    // One hour in one go: the timer fires first, the answer is read next.
    clock.forward(3_600_000)
    await settle()
    answer()
    assert.equal(await got, BYTES)
  })

  it('hears a late answer, or a late refusal, without a word', async () => {
    const late: ((how: 'resolve' | 'reject') => void)[] = []
    const { store, pass, events } = guard({
      claim: () =>
        new Promise((resolve, reject) => {
          late.push((how) => (how === 'resolve' ? resolve(true) : reject(new Error('too late'))))
        }),
    })
    const claims = ['a', 'b'].map((key) => store.claim(key, 1))
    const refused = Promise.all(
      claims.map((claim) => assert.rejects(claim, { code: 'store_unavailable' })),
    )
    await pass(2_000)
    await refused
    late[0]?.('resolve')
    late[1]?.('reject')
    await settle()
    assert.equal(events.length, 1)
  })

  it('says of a call that was given up which it was, and how long it had', async () => {
    const { store, pass } = guard({ list: () => new Promise(() => {}) })
    const listed = assert.rejects(store.list('i', { limit: 1 }), {
      code: 'store_unavailable',
      message: 'The token store did not answer list within 2 seconds.',
    })
    await pass(2_000)
    await listed
  })

  it('passes on what the store itself says, and any error of ours, as it is', async () => {
    for (const code of ['store_unusable', 'store_unavailable', 'keys_unknown'] as const) {
      const own = new AuthError(code, 'Change this.')
      const isSame = (error: unknown): boolean => error === own
      const rejecting = guard({ list: () => Promise.reject(own), get: () => Promise.reject(own) })
      await assert.rejects(rejecting.store.list('i', { limit: 1 }), isSame)
      await assert.rejects(async () => rejecting.store.get('s.1'), isSame)
      const throwing = guard({
        get() {
          throw own
        },
        list() {
          throw own
        },
      })
      assert.throws(() => throwing.store.get('s.1'), isSame)
      await assert.rejects(throwing.store.list('i', { limit: 1 }), isSame)
      const told = rejecting.events.map((event) => 'reason' in event && event.reason)
      assert.deepEqual(told, code === 'keys_unknown' ? [] : ['Change this.', 'Change this.'])
    }
  })

  it('never repeats what a driver said, but keeps it as the cause', async () => {
    const cause = new Error('READONLY tok_1234567890abcdef')
    const { store, events } = guard({ claim: () => Promise.reject(cause) })
    await assert.rejects(store.claim('c', 1), (error: AuthError) => {
      assert.equal(error.cause, cause)
      return !error.message.includes('tok_')
    })
    assert.equal(JSON.stringify(events).includes('tok_'), false)
  })

  it('fails at once after a silence, tries by itself, and goes on when it is answered', async () => {
    let isSilent = true
    let asked = 0
    const { store, pass } = guard({
      async get() {
        asked += 1
        if (isSilent) await new Promise(() => {})
        return BYTES
      },
    })
    const first = assert.rejects(async () => store.get('s.1'), { code: 'store_unavailable' })
    await pass(2_000)
    await first
    const before = asked
    for (let call = 0; call < 100; call += 1) {
      assert.throws(() => store.get('s.1'), { code: 'store_unavailable' })
      await assert.rejects(store.claim('c', 1), { code: 'store_unavailable' })
    }
    assert.equal(asked, before)
    await pass(10_000)
    assert.ok(asked - before >= 3 && asked - before <= 5, `${asked - before} probes`)
    isSilent = false
    await pass(5_000)
    assert.equal(await store.get('s.1'), BYTES)
    assert.equal(await store.claim('c', Number.MAX_SAFE_INTEGER), true)
  })

  for (const refuses of [false, true]) {
    it(`leaves a driver time to give up a connection that died, where it ${refuses ? 'says no' : 'says nothing'} meanwhile`, async () => {
      const asked: number[] = []
      const { store, pass, now } = guard({
        async get() {
          asked.push(now())
          const [previous, last] = asked.slice(-2)
          // A time limit for silence: whatever is written begins it anew.
          if (last !== undefined && previous !== undefined && last - previous > 4_000) return BYTES
          if (refuses && asked.length > 1) throw new Error('Not connected.')
          return new Promise(() => {})
        },
      })
      store.claim('c', 1).catch(() => {})
      const first = assert.rejects(async () => store.get('s.1'))
      await pass(2_000)
      await first
      await pass(20_000)
      const gaps = asked.slice(1).map((at, place) => at - (asked[place] ?? at))
      assert.ok(gaps.length <= 6 && gaps.every((gap) => gap <= 5_050), `asked after ${gaps} ms`)
      assert.equal(await store.claim('c', Number.MAX_SAFE_INTEGER), true)
    })
  }

  it('is asked soon again where it fell silent once more', async () => {
    let isSilent = true
    let asked = 0
    const { store, pass } = guard({
      async get() {
        asked += 1
        if (isSilent) await new Promise(() => {})
        return BYTES
      },
    })
    for (let spell = 0; spell < 5; spell += 1) {
      isSilent = true
      const silent = assert.rejects(async () => store.get('s.1'))
      await pass(2_000)
      await silent
      asked = 0
      isSilent = false
      await pass(2_500)
      assert.equal(asked, 1)
      assert.equal(await store.get('s.1'), BYTES)
    }
  })

  it('is not cut off by one call that hangs while others are answered', async () => {
    const { store, pass } = guard({
      async get() {
        await new Promise((resolve) => setImmediate(resolve))
        return BYTES
      },
      sweep: () => new Promise(() => {}),
    })
    // Asked in the very moment the sweep is given up: not even a short interruption is due.
    const hanging = store.sweep(() => [], 1).catch(() => store.get('s.1'))
    for (let call = 0; call < 100; call += 1) {
      assert.equal(await store.get('s.1'), BYTES)
      await pass(50)
    }
    assert.equal(await hanging, BYTES)
  })

  it('stops trying when it is told to', async () => {
    let asked = 0
    const { store, stop, pass } = guard({
      get() {
        asked += 1
        return new Promise(() => {})
      },
    })
    const first = assert.rejects(async () => store.get('s.1'))
    await pass(2_000)
    await first
    stop()
    await pass(3_000)
    const before = asked
    await pass(20_000)
    assert.equal(asked, before)
  })
})
