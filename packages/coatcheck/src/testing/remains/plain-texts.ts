/** A text that must not be in a store in plain, in any of the ways in which one is written. */
export interface PlainText {
  isIn(bytes: Uint8Array): boolean
  /** The same place without it. */
  mask(place: string): string
}

/** Shorter ones are in any random bytes by chance. */
const SHORTEST_ANYWHERE = 6
/** Around a shorter one there must be so much that reads as text. */
const READABLE_RUN = 8
/** What base64 makes of less is in any base64 by chance. */
const SHORTEST_BASE64 = 8
const MASK = '[…]'

/**
 * Looks for a text as it is, as UTF-16, in JSON, percent-encoded, as hex, and as base64 or base64url
 * of anything it is in. A text of less than six bytes is looked for as a word of its own in what
 * reads as text. What was compressed or hashed before it was stored is not found.
 */
export function plainText(text: string): PlainText {
  const bytes = Buffer.from(text)
  const isShort = bytes.length < SHORTEST_ANYWHERE
  const forms = isShort ? [bytes] : formsOf(text, bytes)
  const texts = [...new Set(forms.map((form) => form.toString()))]
  return {
    isIn(given) {
      const within = Buffer.from(given.buffer, given.byteOffset, given.length)
      return isShort ? hasWord(within, bytes) : forms.some((form) => within.includes(form))
    },
    mask: (place) => texts.reduce((masked, form) => masked.replaceAll(form, MASK), place),
  }
}

function formsOf(text: string, bytes: Buffer): Buffer[] {
  const wide = Buffer.from(text, 'utf16le')
  const hex = bytes.toString('hex')
  const written = [
    text,
    JSON.stringify(text).slice(1, -1),
    encodeURIComponent(text),
    encodeURIComponent(text).replaceAll('%20', '+'),
    hex,
    hex.toUpperCase(),
    ...inBase64(bytes),
  ]
  const forms = [...new Set(written)].map((form) => Buffer.from(form))
  return [...forms, wide, Buffer.from(wide).swap16()]
}

/** Three bytes make four characters: what a text looks like depends on where it begins in them. */
function inBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes])
    const [from, to] = [Math.ceil((before * 8) / 6), Math.floor((padded.length * 8) / 6)]
    if (to - from < SHORTEST_BASE64) return []
    return (['base64', 'base64url'] as const).map((name) => padded.toString(name).slice(from, to))
  })
}

function hasWord(within: Buffer, word: Buffer): boolean {
  for (let at = within.indexOf(word); at >= 0; at = within.indexOf(word, at + 1)) {
    const end = at + word.length
    if (isWordByte(within[at - 1]) || isWordByte(within[end])) continue
    let [first, last] = [at, end]
    while (last - first < READABLE_RUN && isReadable(within[first - 1])) first--
    while (last - first < READABLE_RUN && isReadable(within[last])) last++
    if (last - first >= READABLE_RUN || last - first === within.length) return true
  }
  return false
}

/** Also what is between the words of base64. */
function isWordByte(byte: number | undefined): boolean {
  return byte !== undefined && /[\w+/=-]/.test(String.fromCharCode(byte))
}

function isReadable(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x20 && byte < 0x7f
}
