import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import type { TokenStore } from '#coatcheck/core/tokens/store'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { assertConsistent } from './consistency.ts'
import { openEnvironment, type TestEnvironment } from './environment.ts'
import { type Acknowledged, type Jobs, type Message, recordOf, signOut } from './lmdb-worker.ts'

const PROCESSES = 4
const ROUNDS = 3_000

describe('lmdbStore, shared by several processes', () => {
  let environment: TestEnvironment
  let store: TokenStore
  let workers: Worker[]

  before(async () => {
    environment = openEnvironment()
    store = lmdbStore(environment.database)
    workers = await Promise.all(
      Array.from({ length: PROCESSES }, () => startWorker(environment.path)),
    )
  })

  after(async () => {
    await Promise.all(workers.map((worker) => worker.stop()))
    await environment.close()
  })

  it('sees at once what another process finished writing, and what it removed [INV-1]', async () => {
    await store.insert('counter', recordOf('0'))
    const [worker] = workers
    assert.ok(worker !== undefined)
    const stale: string[] = []
    let seen = 0
    let known: Uint8Array | undefined
    const stop = worker.listen((message) => {
      if (!('counted' in message)) return
      seen += 1
      // What was read before must not be taken for what is there now.
      known = read(store, 'counter', known)
      const held = Number(Buffer.from(known ?? []).toString() || Number.POSITIVE_INFINITY)
      if (held < message.counted) stale.push(`${held} after ${message.counted}`)
    })
    await worker.ask('count', { id: 'counter', until: ROUNDS })
    assert.equal(read(store, 'counter', known), undefined)
    stop()
    assert.equal(seen, ROUNDS)
    assert.deepEqual(stale, [])
  })

  it('gives each claim to one process', async () => {
    const keys = names('claim', 300)
    const won = await Promise.all(workers.map((worker) => worker.ask('claim', keys)))
    assert.deepEqual(won.flat().sort(), [...keys].sort())
  })

  it('gives each removed record to one process', async () => {
    const ids = names('removed', 300)
    await Promise.all(ids.map((id) => store.insert(id, recordOf(id))))
    const won = await Promise.all(workers.map((worker) => worker.ask('remove', ids)))
    assert.deepEqual(won.flat().sort(), [...ids].sort())
    for (const id of ids) assert.equal(read(store, id), undefined)
  })

  it('lets one process replace each record', async () => {
    const ids = names('replaced', 300)
    await Promise.all(ids.map((id) => store.insert(id, recordOf('old'))))
    const won = await Promise.all(
      workers.map((worker, at) => worker.ask('replace', { ids, from: 'old', to: `by ${at}` })),
    )
    assert.deepEqual(won.flat().sort(), [...ids].sort())
    for (const [at, mine] of won.entries()) {
      for (const id of mine) assert.equal(String(read(store, id)), `by ${at}`)
    }
  })

  it('lets no sign-in of one process slip by a sign-out in another [INV-3]', async () => {
    const at = Date.now()
    const [outs, ...ins] = workers
    assert.ok(outs !== undefined)
    for (let round = 0; round < 20; round++) {
      const index = `user ${round}`
      const [removed, ...admitted]: string[][] = await Promise.all([
        outs.ask('signOut', { index, at }),
        ...ins.map((worker, nth) =>
          worker.ask('signIn', { index, ids: names(`${round} ${nth}`, 20), at }),
        ),
      ])
      assert.deepEqual(removed?.sort(), admitted.flat().sort())
      assert.deepEqual(await store.list(index, { limit: 100 }), [])
    }
  })

  it('is left consistent by all of them', () => {
    assertConsistent(environment.database)
  })
})

describe('lmdbStore, when a process is killed', () => {
  it('keeps what it promised and stays consistent, 20 times', async () => {
    const environment = openEnvironment()
    const store = lmdbStore(environment.database)
    try {
      for (let round = 0; round < 20; round++) {
        await killDuringWork(environment.path, `round ${round}`, store)
        assertConsistent(environment.database)
        // Whoever finds the word that a removal is unfinished finishes it, and nothing is left.
        for (const { value } of await store.list('unfinished', { limit: 100 })) {
          await signOut(store, { index: `round ${round}`, at: Number(String(value)) })
        }
        const index = `round ${round}`
        await signOut(store, { index, at: Date.now() })
        assert.deepEqual(await store.list(index, { limit: 1 }), [])
        assertConsistent(environment.database)
      }
    } finally {
      await environment.close()
    }
  })
})

/** Kills a writer somewhere in its work and checks everything that it was promised. */
async function killDuringWork(path: string, name: string, store: TokenStore): Promise<void> {
  const worker = await startWorker(path)
  const promised: Acknowledged[] = []
  const killAfter = 1 + Math.floor(Math.random() * 120)
  const killed = new Promise<void>((resolve) => {
    worker.listen((message) => {
      if (!('acknowledged' in message)) return
      promised.push(message.acknowledged)
      if (promised.length === killAfter) worker.kill().then(resolve, resolve)
    })
  })
  worker.begin('neverEnd', { name, index: name, owed: `owed/${name}` })
  await killed
  const gone = new Set<string>()
  for (const one of promised) {
    if (one.kind === 'removed') gone.add(one.id)
    if (one.kind === 'signed_out') for (const id of one.removed) gone.add(id)
  }
  const unpromised = new Set<string>()
  for (const id of gone) {
    assert.equal(read(store, id), undefined, `removed before the kill after ${killAfter}`)
    assert.notEqual(read(store, `owed/${id}`), undefined, `owed before the kill after ${killAfter}`)
  }
  for (const one of promised) {
    if (one.kind !== 'inserted' || gone.has(one.id)) continue
    // A removal that nobody was told of may have taken it; then it is owed for.
    if (read(store, one.id) === undefined) unpromised.add(one.id)
  }
  for (const id of unpromised) assert.notEqual(read(store, `owed/${id}`), undefined)
}

interface Worker {
  /** Asks for a job and resolves with the answer. */
  ask<J extends keyof Jobs>(job: J, ask: Jobs[J]['ask']): Promise<Jobs[J]['answer']>
  /** Asks for a job that is not waited for. */
  begin<J extends keyof Jobs>(job: J, ask: Jobs[J]['ask']): void
  listen(hear: (message: Message) => void): () => void
  stop(): Promise<void>
  /** SIGKILL: nothing of the process runs any more. */
  kill(): Promise<void>
}

async function startWorker(path: string): Promise<Worker> {
  const child: ChildProcess = fork(new URL('lmdb-worker.ts', import.meta.url), [path])
  const gone = once(child, 'exit')

  function answer(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const hear = (message: Message): void => {
        if (!('done' in message)) return
        child.off('message', hear)
        resolve(message.done)
      }
      child.on('message', hear)
      gone.then(() => reject(new Error('The worker ended.')))
    })
  }

  await answer()
  return {
    async ask(job, ask) {
      const answered = answer()
      child.send({ job, ask })
      return (await answered) as never
    },
    begin: (job, ask) => void child.send({ job, ask }),
    listen(hear) {
      child.on('message', hear)
      return () => child.off('message', hear)
    },
    async stop() {
      child.disconnect()
      await gone
    },
    async kill() {
      child.kill('SIGKILL')
      await gone
    },
  }
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${prefix} ${at}`)
}

/** The LMDB store answers without a promise. */
function read(store: TokenStore, id: string, known?: Uint8Array): Uint8Array | undefined {
  const value = store.get(id, known)
  assert.ok(!(value instanceof Promise))
  return value
}
