/** How far a JSON object goes that begins at the start of some bytes. */
export interface JsonText {
  readonly text: string
  readonly length: number
  /** Whether its end is there. */
  readonly whole: boolean
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPENING = [0x7b, 0x5b]
const CLOSING = [0x7d, 0x5d]
const FIRST_PRINTABLE = 0x20

/**
 * The JSON object at the start of the bytes, whatever follows it, or as much of it as is there; or
 * nothing where none begins there. What `JSON.stringify` writes has no control characters, so the
 * first of them is where something else goes on.
 */
export function readJsonText(bytes: Uint8Array): JsonText | undefined {
  if (bytes[0] !== OPENING[0] || bytes[1] !== QUOTE) return undefined
  let depth = 0
  let inText = false
  let at = 0
  for (; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    if (byte < FIRST_PRINTABLE) break
    if (inText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inText = false
      continue
    }
    if (byte === QUOTE) inText = true
    else if (OPENING.includes(byte)) depth++
    else if (CLOSING.includes(byte) && --depth === 0) return cut(bytes, at + 1, true)
  }
  return cut(bytes, Math.min(at, bytes.length), false)
}

function cut(bytes: Uint8Array, length: number, whole: boolean): JsonText {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString()
  return { text, length, whole }
}
