import type { TokenStore } from '#coatcheck'
import type { Quiet } from './quiet.ts'

/**
 * A store as one process sees it: before each operation anything may happen, and after it too,
 * until the answer arrives. The operation itself is one step, which the store's kit proves.
 */
export function steppedStore(
  store: TokenStore,
  point: (label: string) => Promise<void>,
  {
    quiet,
    answers,
    removing,
    claimed,
  }: {
    readonly quiet: Quiet
    readonly answers: boolean
    /** Hears of each removal when it is done, if it had any effect. */
    readonly removing: () => void
    /** Hears of each claim that was given, before its answer arrives. */
    readonly claimed: () => void
  },
): TokenStore {
  async function step<T>(label: string, work: () => T | Promise<T>): Promise<T> {
    await point(label)
    const answer = await quiet.during(work)
    if (answers) await point(`${label} answers`)
    return answer
  }

  async function noted<T>(removal: Promise<T>): Promise<T> {
    const removed = await removal
    // One that removes all leaves a mark at least.
    if (removed !== undefined) removing()
    return removed
  }

  return {
    now: () => store.now(),
    // The keyring never changes here: to interleave its reading shows nothing and costs much.
    get: (id) => (id === 'k' ? store.get(id) : step(`get ${short(id)}`, () => store.get(id))),
    insert: (id, record) => step(`insert ${short(id)}`, () => store.insert(id, record)),
    replace: (id, previous, next) =>
      step(`replace ${short(id)}`, () => store.replace(id, previous, next)),
    remove: (id, owe) => step(`remove ${short(id)}`, () => noted(store.remove(id, owe))),
    removeAll: (marks, removal) => step('removeAll', () => noted(store.removeAll(marks, removal))),
    list: (index, page) => step('list', () => store.list(index, page)),
    claim: (key, until) =>
      step('claim', async () => {
        const given = await store.claim(key, until)
        if (given) claimed()
        return given
      }),
    sweep: (owe, limit) => step('sweep', () => store.sweep(owe, limit)),
    // Asked before anybody has a keyring: nothing is under way then.
    isEmpty: () => store.isEmpty(),
    close: () => store.close(),
  }
}

/** The same in each run, as far as that can be: the provider's port is part of what names these. */
function short(id: string): string {
  if (id.startsWith('n.')) return 'refusal'
  return id.startsWith('j.') ? 'jti' : id.slice(0, 6)
}
