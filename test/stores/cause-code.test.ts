import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { it } from 'node:test'
import type { AuthEvent } from '#coatcheck'
import { causeCode } from '#coatcheck/core/cause-code'
import { guardStore } from '#coatcheck/core/tokens/guarded-store'
import { memoryStore } from '#coatcheck/stores/memory'
import { freePorts } from '../servers/ports.ts'
import { startClock } from '../support/application.ts'

const SECRET = 'a-secret-that-a-driver-repeats'

/** What is told of a store that fails so. */
async function reasonFor(cause: unknown): Promise<string> {
  const clock = startClock()
  const events: AuthEvent[] = []
  const { store } = guardStore(
    { ...memoryStore({ now: clock.now }), insert: () => Promise.reject(cause) },
    {
      limit: 2_000,
      emit: (event) => events.push(event),
      environment: { random: (length) => new Uint8Array(length), wait: clock.wait },
    },
  )
  const record = { value: Buffer.from('v'), expiresAt: 1, established: EPOCH, indexes: [] }
  await assert.rejects(store.insert('s.1', record), { code: 'store_unavailable' })
  const [event] = events
  assert.equal(event?.type, 'store_failed')
  return event.reason
}

const EPOCH = { provider: 0, here: 0 }

it('says of a store that cannot be reached by what constant Node names that', async () => {
  const [port = 0] = await freePorts(1)
  const refused = await new Promise<Error>((resolve) =>
    connect(port, '127.0.0.1').once('error', resolve),
  )
  assert.match(await reasonFor(refused), /at insert \(ECONNREFUSED\)/)
  // What fails at all addresses of a name, and what a driver puts around it.
  const around = new Error(SECRET, { cause: new AggregateError([refused], SECRET) })
  assert.match(await reasonFor(around), /\(ECONNREFUSED\)/)
  assert.equal(existsSync('/nowhere'), false)
  const absent = await readFile('/nowhere').catch((error: unknown) => error)
  assert.match(await reasonFor(absent), /\(ENOENT\)/)
})

it('says by what constant the server refused, and nothing of its message', async () => {
  for (const [cause, code] of [
    [Object.assign(new Error(SECRET), { code: '28P01' }), '28P01'],
    [Object.assign(new Error(`WRONGPASS ${SECRET}`), { name: 'ReplyError' }), 'WRONGPASS'],
    [Object.assign(new Error(SECRET), { code: 13 }), 'EACCES'],
    [Object.assign(new Error(SECRET), { code: -30_792 }), '-30792'],
  ] as const) {
    const reason = await reasonFor(cause)
    assert.ok(reason.includes(`(${code})`), reason)
    assert.equal(reason.includes(SECRET), false)
  }
})

it('repeats nothing that may not be a constant', async () => {
  for (const cause of [
    new Error(SECRET),
    Object.assign(new Error(SECRET), { code: SECRET }),
    Object.assign(new Error(SECRET), { code: 'S'.repeat(43) }),
    Object.assign(new Error(`${SECRET.toUpperCase()} SECRET`), { name: 'ReplyError' }),
    Object.assign(new Error('SECRET'), { name: 'ReplyError' }),
    new DOMException(SECRET, 'AbortError'),
    SECRET,
    undefined,
  ]) {
    assert.equal(causeCode(cause), undefined)
    assert.equal(await reasonFor(cause), 'The token store failed at insert.')
  }
})
