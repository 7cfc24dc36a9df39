/*
 * Postgres keeps a large value in chunks of 1,996 bytes, of which four fill a page. A last chunk
 * that is smaller spoils that: sessions of 4.3 KB took 1.34 times their bytes. So as much as fills
 * chunks exactly goes into one column, and what is left over stays in the row, which is then still
 * so small that four of them fill a page.
 */

const CHUNK = 1_996
/** Leaves room for id, indexes and times. */
const IN_ROW = 1_750

/** A value in two parts, `head` and `tail`, without a copy. Cut by its length alone. */
export function cut(value: Uint8Array): readonly [Buffer, Buffer] {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  const left = bytes.length % CHUNK
  const at = left > IN_ROW ? bytes.length : bytes.length - left
  return [bytes.subarray(0, at), bytes.subarray(at)]
}
