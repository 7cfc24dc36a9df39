import type { TestContext } from 'node:test'
import type { TokenStore } from '#coatcheck'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { memoryStore } from '#coatcheck/stores/memory'
import type { RawContents, RawEntry } from '#coatcheck/testing/remains'
import { lmdbContents } from '#coatcheck/testing/remains/lmdb'
import { openEnvironment } from '../stores/environment.ts'

/** A store, and everything in it as its administrator would see it. */
export interface OpenedStore {
  readonly store: TokenStore
  readonly contents: RawContents
}

/** Opens a store, empty, until the test ends. */
export type OpenStore = (t: TestContext, now: () => number) => Promise<OpenedStore>

/** How each kind of store that needs no server is opened. */
export const STORES: Readonly<Record<string, OpenStore>> = {
  memory: async (_t, now) => openMemory(now),
  lmdb: async (t, now) => {
    const { database, close } = openEnvironment()
    t.after(close)
    return { store: lmdbStore(database, { now }), contents: lmdbContents(database) }
  },
}

/** The memory store has no administrator: here are the maps that it keeps everything in. */
function openMemory(now: () => number): OpenedStore {
  const maps: Map<unknown, unknown>[] = []
  const { Map: Original } = globalThis
  globalThis.Map = class<K, V> extends Original<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries)
      maps.push(this)
    }
  } as MapConstructor
  try {
    const store = memoryStore({ now })
    return { store, contents: { [Symbol.iterator]: () => entriesOf(maps) } }
  } finally {
    globalThis.Map = Original
  }
}

function* entriesOf(maps: readonly Map<unknown, unknown>[]): Generator<RawEntry> {
  for (const [at, map] of maps.entries()) {
    for (const [key, kept] of map) {
      const entry = { place: `map ${at}: ${key}`, key: Buffer.from(String(key)) }
      if (isRecord(kept)) {
        const head = Buffer.concat([...runs({ ...kept, value: undefined })])
        const record = { id: String(key), sealedAt: head.length }
        yield { ...entry, bytes: Buffer.concat([head, kept.value]), record }
      } else yield { ...entry, bytes: Buffer.concat([...runs(kept)]) }
    }
  }
}

function isRecord(kept: unknown): kept is { readonly value: Uint8Array } {
  return typeof kept === 'object' && kept !== null && 'value' in kept
}

/** Every text in a value, with something between them. */
function* runs(value: unknown): Generator<Uint8Array> {
  if (value instanceof Set) for (const one of value) yield* runs(one)
  else if (typeof value === 'object' && value !== null) {
    for (const one of Object.values(value)) yield* runs(one)
  } else yield Buffer.from(`${value}\0`)
}
