import { createDecipheriv } from 'node:crypto'
import { open, type Purpose, type SealKey } from '../../core/tokens/seal.ts'
import { readJsonText } from './json-text.ts'

/** A sealed text that was found in raw bytes. */
export interface SealedText {
  /** What it says, as far as it is there; nothing where it does not decipher to anything of ours. */
  readonly text: string | undefined
  /** All of it, as what it was made from. */
  readonly content: unknown
  /** Whether the application itself would open it as the record with one of these ids. */
  opensAs(ids: readonly string[]): boolean
}

/** Finds sealed texts in raw bytes, wherever they begin. */
export type FindSealedTexts = (bytes: Uint8Array) => SealedText[]

/*
 * As `core/tokens/seal.ts` lays a sealed text out: format, key id, nonce, ciphertext, tag.
 */
const FORMAT = 1
const NONCE_AT = 7
const TEXT_AT = 19
const TAG_LENGTH = 16
const PURPOSES: readonly Purpose[] = ['session', 'work']
/** Deciphered at once; a file holds many texts one after the other. */
const STEP = 65_536

/**
 * Whoever has a key and the bytes needs neither the tag nor the name that was authenticated to read
 * them: GCM's text is AES in counter mode. So a record that was moved, cut or changed, and that the
 * application itself would refuse, is deciphered here all the same. Format and key id say where one
 * begins, also where the bytes were written as hex or base64.
 */
export function sealedTextFinder(keys: readonly SealKey[]): FindSealedTexts {
  const searches = keys.flatMap(({ id, secret }) => {
    const head = Buffer.from([FORMAT, ...id])
    const hex = head.toString('hex')
    return [
      { secret, needle: head, decode: whole },
      { secret, needle: Buffer.from(hex), decode: decodeHex },
      { secret, needle: Buffer.from(hex.toUpperCase()), decode: decodeHex },
      ...[...new Set([startOf(head, 'base64'), startOf(head, 'base64url')])].map((start) => ({
        secret,
        needle: Buffer.from(start),
        decode: decodeBase64,
      })),
    ]
  })
  return (bytes) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const found: SealedText[] = []
    for (const { secret, needle, decode } of searches) {
      for (let at = buffer.indexOf(needle); at >= 0; at = buffer.indexOf(needle, at + 1)) {
        found.push(decipher(secret, decode(buffer.subarray(at))))
      }
    }
    return found
  }
}

function decipher(secret: Uint8Array, sealed: Buffer): SealedText {
  for (let length = STEP; ; length *= 4) {
    const there = sealed.subarray(0, TEXT_AT + length)
    const json = there.length > TEXT_AT ? readJsonText(plain(secret, there)) : undefined
    if (json === undefined) return { text: undefined, content: undefined, opensAs: () => false }
    if (json.length === length && there.length < sealed.length) continue
    const exact = sealed.subarray(0, TEXT_AT + json.length + TAG_LENGTH)
    return {
      text: json.text,
      content: json.whole ? parse(json.text) : undefined,
      opensAs: (ids) =>
        json.whole &&
        exact.length === TEXT_AT + json.length + TAG_LENGTH &&
        ids.some((id) =>
          PURPOSES.some((purpose) => open(secret, purpose, id, exact) !== undefined),
        ),
    }
  }
}

/** NIST SP 800-38D 7.1: with a nonce of 12 bytes the text is counted from 2. */
function plain(secret: Uint8Array, sealed: Uint8Array): Buffer {
  const counter = Buffer.concat([sealed.subarray(NONCE_AT, TEXT_AT), Buffer.from([0, 0, 0, 2])])
  return createDecipheriv('aes-256-ctr', secret, counter).update(sealed.subarray(TEXT_AT))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Something else that happens to have braces: it is searched as text.
    return undefined
  }
}

/** The characters that these bytes decide, whatever follows them. */
function startOf(bytes: Buffer, encoding: 'base64' | 'base64url'): string {
  return bytes.toString(encoding).slice(0, Math.floor((bytes.length * 8) / 6))
}

function whole(bytes: Buffer): Buffer {
  return bytes
}

function decodeHex(bytes: Buffer): Buffer {
  return Buffer.from(/^[\da-f]+/i.exec(bytes.toString('latin1'))?.[0] ?? '', 'hex')
}

function decodeBase64(bytes: Buffer): Buffer {
  return Buffer.from(/^[\w+/-]+/.exec(bytes.toString('latin1'))?.[0] ?? '', 'base64')
}
