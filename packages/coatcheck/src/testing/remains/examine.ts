import { sealedWith } from '../../core/tokens/seal.ts'
import type { RemainsOptions } from '../remains.ts'
import type { RawEntry } from './entry.ts'
import { createIdentities } from './identities.ts'
import type { FoundKeys } from './keyrings.ts'
import { createLeads } from './leads.ts'
import { plainText } from './plain-texts.ts'
import type { Remain, Remains, Undecided } from './remain.ts'
import { type SealedText, sealedTextFinder } from './sealed-texts.ts'

/** Examines entries one by one. */
export interface Examination {
  examine(entry: RawEntry): void
  /** Whether all entries have to be gone through once more, by {@link Examination.follow}. */
  readonly hasLeads: boolean
  /** Sees whether the records are there that others led to. */
  follow(entry: RawEntry): void
  end(): Remains
}

/** Of each kind: a store whose key is unknown has as many as it has records. */
const MOST_UNDECIDED = 100
const LONGEST_PLACE = 200
/** Ids of records as a key may hold them: `s.…`, `w.…`, `w.…/s.…`. */
const RECORD_IDS = /[sw]\.[\w-]{16,}(?:\/[sw]\.[\w-]{16,})?/g

/** An examination by the keys of the store's own keyrings. */
export function createExamination(options: RemainsOptions, keys: FoundKeys): Examination {
  const identities = createIdentities(options.identities, options, keys.vaults)
  const texts = (options.texts ?? []).map(plainText)
  const names = identities.names.map(({ at, name }) => ({ at, text: plainText(name) }))
  const findSealed = sealedTextFinder(keys.seal)
  const found: Remain[] = []
  const leads = createLeads()
  const undecided: Undecided[] = []
  const undecidedCount = { unknown_key: 0, damaged: 0, owed_revocation: 0 }
  const looked = {
    entries: 0,
    bytes: 0,
    deciphered: 0,
    others: 0,
    marks: 0,
    inFiles: 0,
    notOurs: 0,
  }

  function placeOf({ place }: RawEntry): string {
    const secret = [...texts, ...names.map(({ text }) => text)]
    const masked = secret.reduce((text, one) => one.mask(text), place)
    return masked.length > LONGEST_PLACE ? `${masked.slice(0, LONGEST_PLACE)}…` : masked
  }

  function toRemain(entry: RawEntry, remain: Omit<Remain, 'place' | 'what'>, what = ''): Remain {
    const sentence = [SENTENCES[remain.kind], what].filter(Boolean).join(' ')
    return { ...remain, place: placeOf(entry), what: sentence }
  }

  function report(...about: Parameters<typeof toRemain>): void {
    found.push(toRemain(...about))
  }

  function leaveOpen(kind: Undecided['kind'], entry: RawEntry): void {
    if (++undecidedCount[kind] <= MOST_UNDECIDED) undecided.push({ kind, place: placeOf(entry) })
  }

  function textsIn(bytes: Uint8Array): number[] {
    return texts.flatMap((text, at) => (text.isIn(bytes) ? [at] : []))
  }

  /** Reports a deciphered text that is of one of the identities, or has one of the texts in it. */
  function judge(entry: RawEntry, sealed: SealedText, { all, indexed, pointed }: Traces): number[] {
    const { text = '', content } = sealed
    const kind = kindOf(text, content)
    const hidden = textsIn(Buffer.from(text))
    // A session that says whose it is, is not somebody else's for the index it stands under.
    const silent = content === undefined || kind !== 'session'
    const named = silent ? indexed : indexed.filter(identities.isKnownByIndex)
    const whose = inOrder([...identities.in(text, content), ...pointed, ...named])
    if (whose.length === 0 && hidden.length === 0) {
      looked.others++
      if (entry.isFile) return whose
      if (kind === 'owed_revocation') leaveOpen('owed_revocation', entry)
      else if (content === undefined) leaveOpen('damaged', entry)
    } else if (entry.isFile) {
      looked.inFiles++
    } else {
      const isTheirs = whose.length > 0 || kind === 'owed_revocation'
      const what = {
        kind: isTheirs ? kind : 'sealed_text',
        identities: whose,
        texts: hidden,
      } as const
      report(entry, what, conditionOf(sealed, idsOf(entry, all)))
    }
    return whose
  }

  /** An entry that names identities and is no record of theirs. */
  function lead(entry: RawEntry, whose: number[], ids: readonly string[]): void {
    const isWorkOnly = ids.length > 0 && ids.every(isWork)
    const kind = !isWorkOnly
      ? 'index_entry'
      : ids.every(isOwedToPlace)
        ? 'owed_place'
        : 'owed_revocation'
    const what = isWorkOnly ? 'This entry leads to them.' : ''
    leads.add(toRemain(entry, { kind, identities: whose, texts: [] }, what), ids)
  }

  return {
    examine(entry) {
      const key = entry.key ?? new Uint8Array(0)
      const all = Buffer.concat([Buffer.from(`${entry.place}\n`), key, NEW_LINE, entry.bytes])
      looked.entries++
      looked.bytes += key.length + entry.bytes.length
      // Each by itself: a short text is a word of its own where it is all there is.
      const runs = [Buffer.from(entry.place), key, entry.bytes]
      const plain = inOrder(runs.flatMap(textsIn))
      if (plain.length > 0) report(entry, { kind: 'plain_text', identities: [], texts: plain })
      const named = names.filter(({ text }) => runs.some(text.isIn))
      const told = inOrder(named.map(({ at }) => at))
      if (told.length > 0) report(entry, { kind: 'plain_name', identities: told, texts: [] })

      const sealed = findSealed(all)
      const legible = sealed.filter(({ text }) => text !== undefined)
      looked.deciphered += legible.length
      const traces: Traces = {
        all,
        indexed: entry.isFile ? [] : identities.indexedIn(all),
        pointed: identities.sessionsIn(all),
      }
      const owners = legible.flatMap((one) => judge(entry, one, traces))
      if (entry.isFile) return
      const whose = inOrder([...traces.indexed, ...traces.pointed])
      if (legible.length > 0) {
        const rest = whose.filter((one) => !owners.includes(one))
        if (rest.length > 0) lead(entry, rest, idsOf(entry, all))
      } else if (entry.record === undefined) {
        const ids = idsOf(entry, all)
        const isLead = !entry.isMark && (traces.pointed.length > 0 || ids.length > 0)
        if (whose.length === 0) looked.notOurs++
        else if (isLead) lead(entry, whose, ids)
        else looked.marks++
      } else if (isEmpty(entry.record, entry.bytes)) {
        if (whose.length > 0) looked.marks++
      } else if (whose.length > 0) {
        report(entry, { kind: 'undecipherable', identities: whose, texts: [] })
      } else if (!isKeyring(entry.record)) leaveOpen(reasonOf(entry, sealed.length), entry)
    },

    get hasLeads() {
      return leads.any
    },

    follow({ record, bytes }) {
      if (record !== undefined) leads.see(record, isEmpty(record, bytes))
    },

    end() {
      const { keyrings } = keys
      const led = leads.end()
      const all = [...found, ...led.found]
      const complete = keyrings.found > 0 && keyrings.unwrapped === keyrings.found
      const clear = complete && looked.entries > 0 && undecided.length === 0
      const verdict = all.length > 0 ? 'remains' : clear ? 'nothing_left' : 'not_judged'
      const marks = looked.marks + led.none
      return {
        verdict,
        found: all,
        undecided,
        undecidedCount,
        looked: { ...looked, marks, keyrings },
      }
    },
  }
}

/** Whom an entry's bytes name without being deciphered. */
interface Traces {
  readonly all: Buffer
  readonly indexed: readonly number[]
  readonly pointed: readonly number[]
}

const NEW_LINE = Buffer.from('\n')

const SENTENCES: Readonly<Record<Remain['kind'], string>> = {
  session: 'A session whose tokens can be deciphered.',
  owed_revocation: 'Tokens that are kept sealed until the provider confirms their revocation.',
  owed_place:
    'Who it was, kept sealed until a place of the application has been told of the sign-out.',
  unfinished_sign_out: 'A sign-out that was begun and that a worker has yet to finish.',
  index_entry: 'Leads from the identity to a record.',
  undecipherable: 'A record of the identity that cannot be deciphered with these keys.',
  sealed_text:
    'A text that was looked for, sealed in a record not known to be of these identities.',
  plain_text: 'A text that was looked for, readable by everybody.',
  plain_name: 'A subject or sid, readable by everybody.',
}

function inOrder(positions: readonly number[]): number[] {
  return [...new Set(positions)].sort((a, b) => a - b)
}

function kindOf(
  text: string,
  content: unknown,
): 'session' | 'owed_revocation' | 'owed_place' | 'unfinished_sign_out' {
  const kind =
    content === undefined
      ? /^\{(?:"content":\{)?"kind":"(\w+)"/.exec(text)?.[1]
      : (content as { readonly kind?: unknown }).kind
  if (kind === 'revocation') return 'owed_revocation'
  if (kind === 'place') return 'owed_place'
  return kind === 'sign_out' ? 'unfinished_sign_out' : 'session'
}

function conditionOf({ opensAs }: SealedText, ids: readonly string[]): string {
  return opensAs(ids)
    ? 'The application opens it.'
    : 'It was moved, cut or changed: the application refuses it, but whoever has the keys reads it.'
}

function idsOf(entry: RawEntry, all: Buffer): string[] {
  const ids = all.toString('latin1').match(RECORD_IDS) ?? []
  return entry.record === undefined ? ids : [entry.record.id, ...ids]
}

/** What is owed, and unfinished sign-outs; they may be named after a session too. */
function isWork(id: string): boolean {
  return id.startsWith('w.')
}

/** They have the place's name behind the receipt's. */
function isOwedToPlace(id: string): boolean {
  return /^w\.[\w-]{16}-/.test(id)
}

/** It is found by what it is, and counted. */
function isKeyring({ id }: { readonly id: string }): boolean {
  return id === 'k'
}

/** A record that only keeps its id from being taken: a logout token that was processed. */
function isEmpty({ sealedAt }: NonNullable<RawEntry['record']>, bytes: Uint8Array): boolean {
  return bytes.length - sealedAt <= 1
}

function reasonOf({ bytes, record }: RawEntry, seen: number): 'unknown_key' | 'damaged' {
  const isSealed = sealedWith(bytes.subarray(record?.sealedAt)) !== undefined
  return isSealed && seen === 0 ? 'unknown_key' : 'damaged'
}
