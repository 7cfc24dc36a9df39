import type {
  Established,
  Mark,
  MaybePromise,
  Owe,
  Removal,
  RemovalStep,
  StoredEntry,
  StoredRecord,
  TokenStore,
} from '../../core/tokens/store.ts'

/** Registers a test that gets a store of its own. */
export type DefineTest = (title: string, run: (trial: Trial) => Promise<void>) => void

/** A store with a clock that only the test moves, and what tests write into it. */
export interface Trial {
  readonly store: TokenStore
  /** What the clock says, in milliseconds since the epoch. */
  now(): number
  advance(milliseconds: number): void
  /** A name that nobody used before, for an id, an index or a claim. */
  name(): string
  /** A record that was established now and lives for an hour, unless told otherwise. */
  record(text: string, other?: Partial<StoredRecord>): StoredRecord
  /** Inserts such a record under a new id. */
  add(text: string, other?: Partial<StoredRecord>): Promise<string>
  /** Whether {@link Trial.add} made it: tests may share a database, and sweeps see all of it. */
  isOwn(id: string): boolean
  /** What is under an id, as text. */
  text(id: string): Promise<string | undefined>
  /** A removal that owes nothing and takes everything in one step, unless told otherwise. */
  removal(mark: Mark, other?: Partial<Removal>): MarkedRemoval
  /** One step of such a removal, by one index. */
  removeAll(index: string, order: MarkedRemoval): Promise<RemovalStep>
  /** A mark of this clock and time that is kept for an hour. */
  mark(clock: keyof Established, establishedUntil: number, keepUntil?: number): Mark
  /** The ids under an index, in the order in which the store lists them. */
  ids(index: string): Promise<string[]>
}

/** What {@link TokenStore.removeAll} is told, but for the index. */
export interface MarkedRemoval extends Removal {
  readonly mark: Mark
}

/** Milliseconds. */
export const SECOND = 1_000
/** Milliseconds. */
export const HOUR = 3_600_000
const DAY = 24 * HOUR

/** A store that was opened for one test. */
export async function createTrial(
  open: (options: { readonly now: () => number }) => MaybePromise<TokenStore>,
): Promise<Trial> {
  // A day of its own: the sweeps of one test find little of what others left behind.
  let time = Math.floor(Date.now() + DAY * (1 + Math.random() * 3_000))
  const now = (): number => time
  const store = await open({ now })
  const own = new Set<string>()

  const record: Trial['record'] = (text, other = {}) => ({
    value: bytes(text),
    expiresAt: now() + HOUR,
    established: { provider: now(), here: now() },
    indexes: [],
    ...other,
  })

  return {
    store,
    now,
    advance(milliseconds) {
      time += milliseconds
    },
    name: () => crypto.randomUUID(),
    record,
    async add(text, other) {
      const id = crypto.randomUUID()
      own.add(id)
      if (!(await store.insert(id, record(text, other)))) throw new Error('insert was refused')
      return id
    },
    isOwn: (id) => own.has(id),
    text: async (id) => toText(await store.get(id)),
    removal: (mark, other = {}) => ({
      mark,
      owe: () => [],
      limit: 1_000,
      unfinished: { id: crypto.randomUUID(), record: record('unfinished') },
      resumed: false,
      ...other,
    }),
    removeAll: (index, { mark, ...removal }) => store.removeAll([{ index, mark }], removal),
    mark: (clock, establishedUntil, keepUntil = now() + HOUR) => ({
      clock,
      establishedUntil,
      keepUntil,
    }),
    async ids(index) {
      return (await store.list(index, { limit: 10_000 })).map((entry) => entry.id)
    },
  }
}

/** The bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** The text of bytes, without what makes those that are owed unique. */
export function toText(value: Uint8Array | undefined): string | undefined {
  return value && new TextDecoder().decode(value).split(UNIQUE, 1)[0]
}

const UNIQUE = ' #'

/** The texts of entries, sorted. */
export function texts(entries: readonly StoredEntry[]): (string | undefined)[] {
  return entries.map((entry) => toText(entry.value)).sort()
}

/** Under which id {@link owing} owes for a record. */
export function owedFor(id: string): string {
  return `owed/${id}`
}

/**
 * Owes for each record of this test one that says so, under this index. Each time in other bytes,
 * as sealing does.
 */
export function owing(trial: Trial, index: string): Owe {
  return (removed) =>
    removed
      .filter(({ id }) => trial.isOwn(id))
      .map(({ id, value }) => {
        const text = `owed for ${toText(value)}${UNIQUE}${crypto.randomUUID()}`
        const record = trial.record(text, { indexes: [index] })
        return { id: owedFor(id), record }
      })
}
