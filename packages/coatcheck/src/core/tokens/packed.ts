/** What is sealed: some content, and the tokens that belong to it. */
export interface Packed {
  readonly content: unknown
  readonly tokens: readonly string[]
}

/*
 * JSON of the content and of how the tokens are spelled
 * a zero byte, which JSON never has
 * the bytes that the tokens stand for
 */

/** JSON of {@link Packed}. */
interface Text {
  readonly content: unknown
  readonly tokens: readonly Spelling[]
}

/**
 * A token's parts between dots, each of which is a text, or the number of characters that it has
 * among those that the bytes stand for.
 */
type Spelling = readonly (string | number)[]

/**
 * Content and tokens as bytes. A JWT is base64url, a quarter of which is air: it is kept as the
 * bytes that it stands for. Every text comes back as it was.
 */
export function pack({ content, tokens }: Packed): Uint8Array {
  let characters = ''
  const spell = (part: string): string | number => {
    if (!isBase64url(part)) return part
    characters += part + (PADDING[part.length % 4] ?? '')
    return part.length
  }
  const spellings = tokens.map((token) => token.split('.').map(spell))
  const text = JSON.stringify({ content, tokens: spellings } satisfies Text)
  const length = Buffer.byteLength(text)
  const packed = Buffer.allocUnsafe(length + 1 + (characters.length / 4) * 3)
  packed.write(text)
  packed[length] = 0
  packed.write(characters, length + 1, 'base64url')
  return packed
}

/** The other way. */
export function unpack(packed: Uint8Array): Packed {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.length)
  const end = bytes.indexOf(0)
  const { content, tokens } = JSON.parse(bytes.toString('utf8', 0, end)) as Text
  const characters = bytes.toString('base64url', end + 1)
  let at = 0
  const read = (part: string | number): string => {
    if (typeof part === 'string') return part
    const start = at
    at += Math.ceil(part / 4) * 4
    return characters.slice(start, start + part)
  }
  return { content, tokens: tokens.map((parts) => parts.map(read).join('.')) }
}

/** So each part begins and ends at a whole byte, and all of them are turned at once. */
const PADDING: readonly string[] = ['', '', 'AA', 'A']

/**
 * In the one spelling that bytes have: other texts stand for the same bytes, with padding, with the
 * other alphabet, with bits at the end that do not count.
 */
function isBase64url(part: string): boolean {
  return Buffer.from(part, 'base64url').toString('base64url') === part
}
