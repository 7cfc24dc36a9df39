import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { memoryStore } from '#coatcheck/stores/memory'
import { type RedisServer, startRedis } from '../../test/servers/redis.ts'
import { places } from '../scale/places.ts'
import { type Planned, populate } from '../scale/population.ts'
import { peers } from './contestants.ts'
import type { SpaceRow } from './size.ts'
import type { Field } from './surroundings.ts'
import { SECRET } from './task.ts'

/** How many sessions are weighed. */
export interface SpaceSettings {
  readonly inMemory: number
  readonly inStores: number
  /** Into each peer that keeps sessions in Redis. */
  readonly signIns: number
}

const collect = collectGarbage()

/** Bytes of a session: ours in each store, as populated; the peers' in their Redis, as signed in. */
export async function measureSpace(
  field: Field,
  { inMemory, inStores, signIns }: SpaceSettings,
): Promise<SpaceRow[]> {
  const { issuer, clientId } = field.provider
  const owner = { issuer, clientId, key: SECRET }
  const rows: SpaceRow[] = []
  const put = (name: string, sessions: number, bytes: number, tokens: number): void => {
    const bytesPerSession = Math.round(bytes / sessions)
    rows.push({ name, sessions, bytesPerSession, ratio: Number((bytes / tokens).toFixed(2)) })
  }

  const before = heap()
  const memory = memoryStore()
  const tokens = await populate(memory, owner, planned(inMemory))
  put('coatcheck, memory', inMemory, heap() - before, tokens)
  // It has to be there until it was weighed.
  await memory.get('')

  for (const name of ['lmdb', 'redis', 'postgres'] as const) {
    const place = await places[name].open()
    // What an empty store takes is no session's.
    await populate(place.store, owner, planned(1_000))
    const empty = await place.bytes()
    const bytes = await populate(place.store, owner, planned(inStores))
    put(`coatcheck, ${name}`, inStores, (await place.bytes()) - empty, bytes)
    await place.close()
  }
  for (const peer of peers.filter(({ name }) => name.endsWith(', redis'))) {
    const server = await startRedis()
    const running = await peer.start({ ...field, redis: async () => server.url })
    await running.signIn('nobody')
    const empty = await usedBy(server)
    for (let at = 0; at < signIns; at++) await running.signIn(`user-${at}`)
    const bytes = (await usedBy(server)) - empty
    rows.push({ name: peer.name, sessions: signIns, bytesPerSession: Math.round(bytes / signIns) })
    await running.close()
    await server.close()
  }
  return rows
}

function* planned(count: number): Iterable<Planned> {
  for (let at = 0; at < count; at++) {
    yield { subject: `user-${at}`, sid: randomBytes(16).toString('base64url') }
  }
}

/** Of what lives, once everything else is collected. */
function heap(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function collectGarbage(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}

async function usedBy(server: RedisServer): Promise<number> {
  const memory = String(await server.ask('INFO', 'memory'))
  return Number(/^used_memory:(\d+)/m.exec(memory)?.[1])
}
