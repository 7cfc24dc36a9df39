import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import {
  findRemains,
  type RawContents,
  type RawEntry,
  type Remains,
  type RemainsOptions,
} from '#coatcheck/testing/remains'
import { KEY } from '../support/application.ts'
import { ALICE, BOB, of, start } from './remains-flows.ts'
import { STORES } from './remains-stores.ts'

const NEW_KEY = 'the key that took its place, of thirty-two bytes and more'

/** A store after Alice signed out and Bob did not, and what was there of her before. */
interface Scene {
  /** Her session's record, and what led to it. */
  readonly record: RawEntry
  readonly pointers: readonly RawEntry[]
  readonly handle: string
  /** What the provider issued to each of them. */
  readonly hers: readonly string[]
  readonly his: readonly string[]
  /** Looks for her, with this planted in what was left. */
  look(planted: readonly RawEntry[], options?: Partial<RemainsOptions>): Promise<Remains>
}

async function startScene(t: TestContext): Promise<Scene> {
  const { memory: open } = STORES
  assert.ok(open !== undefined)
  const { app, contents, revoked } = await start(t, open)
  const browser = await app.signedIn(ALICE)
  const { handle = '' } = (await app.auth.session(app.as(browser))) ?? {}
  const issued = (): string[] =>
    app.provider.issued.flatMap(({ kind, value }) => (kind === 'code' ? [] : value))
  const hers = issued()
  const before = await entriesIn(contents)
  await app.signedIn(BOB)
  const his = issued().slice(hers.length)
  app.clock.forward(1000)
  await app.auth.signOut({ subject: ALICE.sub })
  await revoked()
  // The key is rotated: the keyring has another to seal with, and still the one of before.
  for (const keys of [[NEW_KEY, KEY], [NEW_KEY]]) {
    await app.another({ keys }).signOut({ subject: 'nobody' })
  }
  const after = await entriesIn(contents)
  const record = before.find((entry) => entry.record?.id === `s.${handle}`)
  assert.ok(record !== undefined)
  return {
    record,
    pointers: before.filter((entry) => entry !== record && text(entry).includes(handle)),
    handle,
    hers,
    his,
    look: (planted, options) =>
      findRemains({
        contents: [...after, ...planted],
        keys: [NEW_KEY],
        issuer: app.provider.issuer,
        clientId: 'app',
        identities: [{ subject: ALICE.sub }, { sid: ALICE.sid }],
        ...options,
      }),
  }
}

describe('findRemains, shown to find what it should', () => {
  it('finds nothing where nothing was planted', async (t) => {
    const { look, hers } = await startScene(t)
    const remains = await look([], { texts: hers })
    assert.deepEqual(remains.found, [])
    assert.equal(remains.verdict, 'nothing_left')
  })

  it('finds a record that was sealed with an older key of the keyring', async (t) => {
    const { look, record } = await startScene(t)
    const [remain, ...others] = (await look([record])).found
    assert.deepEqual(others, [])
    assert.equal(remain?.kind, 'session')
    assert.deepEqual(remain?.identities, [0, 1])
    assert.match(remain?.what ?? '', /The application opens it/)
  })

  it('finds a record that was moved, and tells that the application refuses it', async (t) => {
    const { look, record } = await startScene(t)
    const { bytes } = record
    for (const moved of [
      { place: 'another id', bytes, record: { id: `s.${'x'.repeat(43)}`, sealedAt: 0 } },
      { place: 'a backup of somebody', bytes: Buffer.concat([Buffer.alloc(1000, 7), bytes]) },
      { place: 'as hex', bytes: Buffer.from(`{"copy":"${sealedIn(record).toString('hex')}"}`) },
      { place: 'as base64', bytes: Buffer.from(`"${sealedIn(record).toString('base64')}"`) },
      { place: 'as base64url', bytes: Buffer.from(sealedIn(record).toString('base64url')) },
    ]) {
      const [remain] = (await look([moved])).found
      assert.equal(remain?.kind, 'session', moved.place)
      assert.equal(remain?.place, moved.place)
      assert.match(remain?.what ?? '', /refuses it, but whoever has the keys reads it/)
    }
  })

  it('finds a record of which the end is missing, or is something else', async (t) => {
    const { look, record, hers } = await startScene(t)
    const sealed = sealedIn(record)
    for (const left of [sealed.length - 1, Math.floor(sealed.length / 2), 600]) {
      const cut = { place: 'cut', bytes: sealed.subarray(0, left) }
      assert.equal((await look([cut])).found[0]?.kind, 'session', `${left} bytes`)
      const other = { place: 'mixed', bytes: Buffer.concat([cut.bytes, Buffer.alloc(4096, 0xa5)]) }
      assert.equal((await look([other])).found[0]?.kind, 'session', `${left} bytes and others`)
    }
    // The tokens come last: it takes the end of a record to read them.
    const whole = await look([{ place: 'whole', bytes: sealed }], { texts: hers })
    assert.deepEqual(whole.found[0]?.texts, indexesOf(hers))
  })

  it('finds what leads to a record, and tells whether the record is there', async (t) => {
    const { look, record, pointers } = await startScene(t)
    const alone = of(await look(pointers), 'index_entry')
    assert.ok(alone.length > 0)
    for (const { what } of alone) assert.match(what, /There is no such record/)
    const both = of(await look([...pointers, record]), 'index_entry')
    assert.equal(both.length, alone.length)
    for (const { what } of both) assert.match(what, /It is there/)
  })

  it('takes what leads to an id that only is kept from being taken for no remain', async (t) => {
    const { look, pointers, handle } = await startScene(t)
    const bytes = Buffer.of(0)
    const taken = { place: 'taken', bytes, record: { id: `s.${handle}`, sealedAt: 0 } }
    assert.equal((await look([...pointers, taken])).verdict, 'nothing_left')
  })

  it('finds a token in a place that has nothing to do with us, however it is written', async (t) => {
    const { look, hers } = await startScene(t)
    for (const [at, token] of hers.entries()) {
      const written = {
        'as it is': Buffer.from(`{"access_token":"${token}"}`),
        'as hex': Buffer.from(Buffer.from(token).toString('hex')),
        'as HEX': Buffer.from(`x${Buffer.from(token).toString('hex').toUpperCase()}`),
        'in base64': Buffer.from(Buffer.from(`{"a":"${token}"}`).toString('base64')),
        'in base64url': Buffer.from(Buffer.from(`..${token}??>`).toString('base64url')),
        'percent-encoded': Buffer.from(`token=${encodeURIComponent(token)}&x=y`),
        'as UTF-16': Buffer.from(token, 'utf16le'),
        'as UTF-16 of the other order': Buffer.from(token, 'utf16le').swap16(),
      }
      for (const [place, bytes] of Object.entries(written)) {
        const found = of(await look([{ place, bytes }], { texts: hers }), 'plain_text')
        const summary = found.map(({ kind, place: where, texts }) => ({ kind, where, texts }))
        assert.deepEqual(summary, [{ kind: 'plain_text', where: place, texts: [at] }])
      }
    }
  })

  it('finds a text with characters that every encoding writes differently', async (t) => {
    const { look } = await startScene(t)
    const secret = 'a "secret" of Zoë: 50% + ½'
    for (const bytes of [
      JSON.stringify({ secret }),
      encodeURIComponent(secret),
      new URLSearchParams({ secret }).toString(),
      `  ${secret}`,
    ]) {
      const { found } = await look([{ place: 'x', bytes: Buffer.from(bytes) }], { texts: [secret] })
      assert.equal(found[0]?.kind, 'plain_text', bytes)
    }
  })

  it('finds subject and sid in plain, in keys too', async (t) => {
    const { look } = await startScene(t)
    const key = Buffer.from(`user:${ALICE.sub}`)
    const bytes = Buffer.from('x')
    const { found } = await look([{ place: `user:${ALICE.sub}`, key, bytes }])
    assert.equal(found.length, 1)
    assert.equal(found[0]?.kind, 'plain_name')
    assert.deepEqual(found[0]?.identities, [0])
  })

  it('looks for a short subject as a word, and does not find it in noise', async (t) => {
    const { look } = await startScene(t)
    const identities = [{ subject: 'U1' }]
    const lookIn = async (bytes: Uint8Array): Promise<number> =>
      of(await look([{ place: 'x', bytes }], { identities }), 'plain_name').length
    for (const word of ['{"sub":"U1"}', 'U1', 'logged in: U1', 'user:U1:cart']) {
      assert.equal(await lookIn(Buffer.from(word)), 1, word)
    }
    for (const noise of ['{"sub":"U12"}', 'aGVsbG8U1dG8', '\x00\x01U1\x02\x03', 'eU1/+']) {
      assert.equal(await lookIn(Buffer.from(noise)), 0, noise)
    }
  })

  it("finds a token of hers in somebody else's session", async (t) => {
    const { look, his } = await startScene(t)
    const [remain] = (await look([], { texts: his })).found
    assert.equal(remain?.kind, 'sealed_text')
    assert.deepEqual(remain?.texts, indexesOf(his))
  })

  it('tells a record of hers that cannot be deciphered, and one that may be of anybody', async (t) => {
    const { look, record, handle } = await startScene(t)
    const noise = Buffer.from(record.bytes)
    noise.fill(0x5a, record.record?.sealedAt)
    const found = await look([{ ...record, bytes: noise }])
    assert.deepEqual(
      found.found.map(({ kind }) => kind),
      ['undecipherable'],
    )

    const sealed = sealedIn(record)
    sealed.fill(0x5a, 1, 7)
    const unknown = {
      place: 'x',
      bytes: sealed,
      record: { id: `s.${'x'.repeat(43)}`, sealedAt: 0 },
    }
    const undecided = await look([unknown, { ...unknown, bytes: sealed.fill(0) }])
    assert.equal(undecided.verdict, 'not_judged')
    assert.equal(undecided.undecidedCount.unknown_key + undecided.undecidedCount.damaged, 2)

    const byHandle = await look([unknown], { identities: [{ session: handle }] })
    assert.equal(byHandle.verdict, 'not_judged')
  })

  it('counts what it went through, and does not judge what it could not look at', async (t) => {
    const { look, record } = await startScene(t)
    const { looked } = await look([])
    assert.ok(looked.entries > 0 && looked.bytes > record.bytes.length)
    assert.deepEqual(looked.keyrings, { found: 1, unwrapped: 1 })
    assert.equal(looked.deciphered, 1)
    assert.equal((await look([], { contents: [] })).verdict, 'not_judged')
    assert.equal(
      (await look([], { contents: [{ place: 'x', bytes: Buffer.of(1) }] })).verdict,
      'not_judged',
    )
    assert.equal((await look([], { keys: [KEY] })).verdict, 'not_judged')
  })

  it('shows no token, subject or sid when it is printed', async (t) => {
    const { look, hers, record } = await startScene(t)
    const [token = ''] = hers
    const key = Buffer.from(`cache:${token}:${ALICE.sub}`)
    const planted = [
      { place: key.toString(), key, bytes: Buffer.from(token) },
      { place: Buffer.from(token).toString('hex'), bytes: Buffer.from('x') },
      record,
    ]
    const remains = await look(planted, { texts: hers })
    assert.equal(of(remains, 'plain_text').length, 2)
    const printed = inspect(remains, { depth: 12, maxStringLength: null }) + JSON.stringify(remains)
    for (const secret of [...hers, Buffer.from(token).toString('hex'), ALICE.sub, ALICE.sid]) {
      assert.equal(printed.includes(secret), false)
    }
    assert.match(printed, /cache:\[…\]:\[…\]/)
  })

  it('refuses what would find nothing for want of looking', async (t) => {
    const { look, record } = await startScene(t)
    const used = (function* () {
      yield record
    })()
    for (const options of [
      { contents: used },
      { contents: {} as RawContents },
      { keys: [] },
      { identities: [] },
      { texts: [''] },
      { identities: [{ subject: '' }] },
      { issuer: '' },
      { identities: [{ session: 's.a store id' }] },
    ]) {
      await assert.rejects(look([], options), TypeError, inspect(options))
    }
  })
})

async function entriesIn(contents: RawContents): Promise<RawEntry[]> {
  const entries: RawEntry[] = []
  for await (const entry of contents) entries.push(entry)
  return entries
}

function sealedIn({ bytes, record }: RawEntry): Buffer {
  return Buffer.from(bytes.subarray(record?.sealedAt))
}

function text({ key, bytes }: RawEntry): string {
  return Buffer.concat([key ?? Buffer.alloc(0), bytes]).toString('latin1')
}

function indexesOf(all: readonly unknown[]): number[] {
  return [...all.keys()]
}
