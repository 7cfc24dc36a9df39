import { setImmediate as tick } from 'node:timers/promises'
import type { StoredEntry, StoredRecord, TokenStore } from '#coatcheck/core/tokens/store'

/**
 * What most people write first: a store of get, set and delete, each of which takes a moment.
 * It works as long as nothing happens at the same time, and forgets who signed out.
 */
export function naiveStore({ now }: { now: () => number }): TokenStore {
  const cache = new Map<string, unknown>()
  const get = async <T>(key: string): Promise<T | undefined> => {
    await tick()
    return cache.get(key) as T | undefined
  }
  const set = async (key: string, value: unknown): Promise<void> => {
    await tick()
    cache.set(key, value)
  }
  const del = async (key: string): Promise<void> => {
    await tick()
    cache.delete(key)
  }

  async function write(id: string, record: StoredRecord): Promise<void> {
    await set(`record ${id}`, record)
    for (const index of record.indexes) {
      const ids = (await get<string[]>(`index ${index}`)) ?? []
      await set(`index ${index}`, [...ids, id])
    }
  }

  async function take(id: string): Promise<StoredEntry | undefined> {
    const record = await get<StoredRecord>(`record ${id}`)
    await del(`record ${id}`)
    return record && { id, value: record.value }
  }

  return {
    now,
    async get(id) {
      const record = await get<StoredRecord>(`record ${id}`)
      return record !== undefined && record.expiresAt > now() ? record.value : undefined
    },
    async insert(id, record) {
      if ((await get(`record ${id}`)) !== undefined) return false
      await write(id, record)
      return true
    },
    async replace(id, previous, next) {
      const record = await get<StoredRecord>(`record ${id}`)
      if (record === undefined || Buffer.compare(record.value, previous) !== 0) return false
      await write(id, next)
      return true
    },
    async remove(id, owe) {
      const entry = await take(id)
      const owed = entry && owe?.([entry])
      for (const each of owed ?? []) await write(each.id, each.record)
      return entry?.value
    },
    async removeAll(marks, { owe }) {
      const removed: StoredEntry[] = []
      for (const { index } of marks) {
        for (const id of (await get<string[]>(`index ${index}`)) ?? []) {
          const entry = await take(id)
          if (entry === undefined) continue
          removed.push(entry)
          for (const each of owe([entry])) await write(each.id, each.record)
        }
        await del(`index ${index}`)
      }
      return { removed, more: false }
    },
    async list(index, { limit }) {
      const page: StoredEntry[] = []
      for (const id of (await get<string[]>(`index ${index}`)) ?? []) {
        const record = await get<StoredRecord>(`record ${id}`)
        if (record !== undefined && page.length < limit) page.push({ id, value: record.value })
      }
      return page
    },
    async claim(key, until) {
      const before = await get<number>(`claim ${key}`)
      if (before !== undefined && before > now()) return false
      await set(`claim ${key}`, until)
      return true
    },
    async sweep() {
      return []
    },
    async isEmpty() {
      return ![...cache.keys()].some((key) => key.startsWith('record '))
    },
    async close() {
      cache.clear()
    },
  }
}
