import { open, stat } from 'node:fs/promises'
import type { RawContents, RawEntry } from './entry.ts'

const STRETCH = 1_048_576
/** A text that lies across the end of a stretch is whole in the next. */
const OVERLAP = 65_536

/**
 * The bytes of files themselves, erased and not yet overwritten ones included: LMDB's `data.mdb`,
 * Redis' `appendonly` and `dump.rdb`, the files of a Postgres table. No plain text may be in one.
 *
 * Sealed texts stay in such a file until it is overwritten or vacuumed, and can be deciphered by
 * whoever has `keys` and a keyring that still holds the key they were sealed with, as it does for
 * eight rotations. They are counted (`looked.inFiles`) and are no remains. A text of more than
 * 64 KiB, and one that a database keeps in pieces, is not seen.
 */
export function fileContents(...paths: readonly string[]): RawContents {
  return {
    async *[Symbol.asyncIterator](): AsyncGenerator<RawEntry> {
      for (const path of paths) yield* stretches(path)
    },
  }
}

async function* stretches(path: string): AsyncGenerator<RawEntry> {
  const { size } = await stat(path)
  const file = await open(path)
  try {
    for (let at = 0; at < size; at += STRETCH) {
      const { buffer, bytesRead } = await file.read({
        buffer: Buffer.alloc(Math.min(STRETCH + OVERLAP, size - at)),
        position: at,
      })
      yield { place: `${path} from byte ${at}`, bytes: buffer.subarray(0, bytesRead), isFile: true }
    }
  } finally {
    await file.close()
  }
}
