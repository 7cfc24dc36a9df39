import { randomBytes } from 'node:crypto'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { memoryStore } from '#coatcheck/stores/memory'
import { startRedis } from '../../test/servers/redis.ts'
import { redisBytes } from '../scale/places.ts'
import { type Planned, populate } from '../scale/population.ts'
import type { Contestant } from './contestant.ts'
import { noFailures, type Outcome, progress } from './outcome.ts'
import { signInAll } from './sign-out.ts'
import type { Field } from './surroundings.ts'
import { SECRET } from './task.ts'

/** What live sessions take. */
export interface SpaceRow {
  readonly name: string
  readonly sessions: number
  readonly bytesPerSession: number
  /** To the bytes of the tokens themselves, where they are known. */
  readonly ratio?: number
}

/** How many sessions are weighed. */
export interface SpaceSettings {
  readonly inMemory: number
  /** Into each peer that keeps sessions in Redis. */
  readonly signIns: number
}

/**
 * Bytes of a session: ours in the memory of a process, as populated; the peers' in their Redis, as
 * signed in. (Ours in other stores are weighed where a sign-out among so many is measured.)
 */
export async function measureSpace(
  field: Field,
  peers: readonly Contestant[],
  { inMemory, signIns }: SpaceSettings,
): Promise<Outcome<SpaceRow>> {
  const { attempt, failed } = noFailures()
  progress(`space: ${inMemory} sessions in memory`)
  const all = [await attempt('coatcheck, memory', 300, () => weighMemory(field, inMemory))]
  for (const peer of peers) {
    progress(`space: ${peer.name}`)
    all.push(await attempt(peer.name, 120, () => weighPeer(field, peer, signIns)))
  }
  return { rows: all.filter((row) => row !== undefined), failed }
}

async function weighMemory({ provider }: Field, sessions: number): Promise<SpaceRow> {
  const { issuer, clientId } = provider
  const collect = collectGarbage()
  const heap = (): number => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const before = heap()
  const memory = memoryStore()
  const tokens = await populate(memory, { issuer, clientId, key: SECRET }, planned(sessions))
  const bytes = heap() - before
  // It has to be there until it was weighed.
  await memory.get('')
  const bytesPerSession = Math.round(bytes / sessions)
  return {
    name: 'coatcheck, memory',
    sessions,
    bytesPerSession,
    ratio: Number((bytes / tokens).toFixed(2)),
  }
}

async function weighPeer(field: Field, peer: Contestant, sessions: number): Promise<SpaceRow> {
  const server = await startRedis()
  const running = await peer.start({ ...field, redis: async () => server.url })
  try {
    await running.signIn('nobody')
    const empty = await redisBytes(server)
    const subs = Array.from({ length: sessions }, (_, at) => `user-${at}`)
    await signInAll(running, subs)
    const bytes = (await redisBytes(server)) - empty
    return { name: peer.name, sessions, bytesPerSession: Math.round(bytes / sessions) }
  } finally {
    await running.close()
    await server.close()
  }
}

function* planned(count: number): Iterable<Planned> {
  for (let at = 0; at < count; at++) {
    yield { subject: `user-${at}`, sid: randomBytes(16).toString('base64url') }
  }
}

function collectGarbage(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc')
}
