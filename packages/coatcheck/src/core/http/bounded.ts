/** All chunks as one, or nothing where they are more than `limit` bytes: then no more is read. */
export async function readAtMost(
  limit: number,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const kept: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > limit) return undefined
    kept.push(chunk)
  }
  return new Uint8Array(Buffer.concat(kept, size))
}
