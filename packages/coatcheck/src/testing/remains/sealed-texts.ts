import { createDecipheriv } from 'node:crypto'
import { sessionIn } from '../../core/session/sealed.ts'
import { unpack } from '../../core/tokens/packed.ts'
import { open, type Purpose, type SealKey } from '../../core/tokens/seal.ts'
import { readJsonText } from './json-text.ts'

/** A sealed text that was found in raw bytes. */
export interface SealedText {
  /** What it says, as far as it is there; nothing where it does not decipher to anything of ours. */
  readonly text: string | undefined
  /** What it was made from, but for its tokens, if so much of it is there. */
  readonly content: unknown
  /** Whether the application itself would open it as the record with one of these ids. */
  opensAs(ids: readonly string[]): boolean
}

/** Finds sealed texts in raw bytes, wherever they begin. */
export type FindSealedTexts = (bytes: Uint8Array) => SealedText[]

/*
 * As `core/tokens/seal.ts` lays a sealed text out: format, key id, nonce, ciphertext, tag. The
 * format is not asked for: whatever lies about of an older one is deciphered too.
 */
const ID_AT = 1
const NONCE_AT = 7
const TEXT_AT = 19
const TAG_LENGTH = 16
const PURPOSES: readonly Purpose[] = ['session', 'work', 'refusal']
/** Deciphered at once; a file holds many texts one after the other. */
const STEP = 262_144
const NOTHING = Buffer.alloc(0)

/**
 * Whoever has a key and the bytes needs neither the tag nor the name that was authenticated to read
 * them: GCM's text is AES in counter mode. So a record that was moved, cut or changed, and that the
 * application itself would refuse, is deciphered here all the same. The key's id says where one
 * begins, also where the bytes were written as hex or base64.
 */
export function sealedTextFinder(keys: readonly SealKey[]): FindSealedTexts {
  const searches = keys.flatMap(({ id, secret }) =>
    waysToWrite(id).map((way) => ({ secret, ...way })),
  )
  return (bytes) => {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    const found: SealedText[] = []
    for (const { secret, needle, before, decode } of searches) {
      for (let at = buffer.indexOf(needle); at >= 0; at = buffer.indexOf(needle, at + 1)) {
        if (at >= before) found.push(decipher(secret, decode(buffer.subarray(at - before))))
      }
    }
    return found
  }
}

interface Way {
  readonly needle: Buffer
  /** How far before it the sealed text begins. */
  readonly before: number
  decode(bytes: Buffer): Buffer
}

function waysToWrite(id: Uint8Array): Way[] {
  const hex = Buffer.from(id).toString('hex')
  const upper = hex.toUpperCase()
  return [
    { needle: Buffer.from(id), before: ID_AT, decode: (bytes) => bytes },
    ...[...new Set([hex, upper])].map((text) => ({
      needle: Buffer.from(text),
      before: 2 * ID_AT,
      decode: decodeHex,
    })),
    ...[...new Set([inBase64(id, 'base64'), inBase64(id, 'base64url')])].map((text) => ({
      needle: Buffer.from(text),
      before: Math.ceil((ID_AT * 8) / 6),
      decode: decodeBase64,
    })),
  ]
}

/** The characters that the id decides, whatever stands around it. */
function inBase64(id: Uint8Array, encoding: 'base64' | 'base64url'): string {
  const bytes = Buffer.concat([Buffer.alloc(ID_AT), id])
  const [from, to] = [Math.ceil((ID_AT * 8) / 6), Math.floor((bytes.length * 8) / 6)]
  return bytes.toString(encoding).slice(from, to)
}

function decodeHex(bytes: Buffer): Buffer {
  return Buffer.from(/^[\da-f]+/i.exec(bytes.toString('latin1'))?.[0] ?? '', 'hex')
}

function decodeBase64(bytes: Buffer): Buffer {
  return Buffer.from(/^[\w+/-]+/.exec(bytes.toString('latin1'))?.[0] ?? '', 'base64')
}

function decipher(secret: SealKey['secret'], sealed: Buffer): SealedText {
  const opensAs = (ids: readonly string[]): boolean =>
    sealed.length >= TEXT_AT + TAG_LENGTH &&
    ids.some((id) => PURPOSES.some((purpose) => open(secret, purpose, id, sealed) !== undefined))
  for (let length = STEP; ; length *= 4) {
    const there = sealed.subarray(0, length)
    const bytes = there.length > TEXT_AT ? plain(secret, there) : NOTHING
    const json = readJsonText(bytes)
    if (json === undefined) return { text: undefined, content: undefined, opensAs: () => false }
    if (!json.whole && there.length < sealed.length) continue
    const said = json.whole ? read(bytes, json.text) : { text: json.text, content: undefined }
    return { ...said, opensAs }
  }
}

/** Tokens are searched as they are sent, however they are kept. */
function read(bytes: Buffer, json: string): Pick<SealedText, 'text' | 'content'> {
  try {
    const { content, tokens } = unpack(bytes)
    const said = Array.isArray(content) ? sessionIn({ content, tokens }) : content
    return { text: [json, ...tokens].join('\n'), content: said }
  } catch {
    // Of an older format, or by chance: it is searched as text.
    return { text: json, content: undefined }
  }
}

/** NIST SP 800-38D 7.1: with a nonce of 12 bytes the text is counted from 2. */
function plain(secret: SealKey['secret'], sealed: Uint8Array): Buffer {
  const counter = Buffer.concat([sealed.subarray(NONCE_AT, TEXT_AT), Buffer.from([0, 0, 0, 2])])
  return createDecipheriv('aes-256-ctr', secret, counter).update(sealed.subarray(TEXT_AT))
}
