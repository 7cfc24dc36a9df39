import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'

/** Runs something with the same random bytes each time, so that it does the same each time. */
export type Repeatable = <T>(seed: string, run: () => Promise<T>) => Promise<T>

/** Takes the place of what is random in this process. One run at a time; `end` when all is done. */
export function startRepeatable(): { readonly repeatable: Repeatable; end(): void } {
  const { randomBytes } = crypto
  let next = randomBytes as (size: number) => Buffer
  put((size: number) => next(size))

  return {
    async repeatable(seed, run) {
      let nth = 0
      next = (size) => {
        nth += 1
        return crypto.createHash('sha512').update(`${seed} ${nth}`).digest().subarray(0, size)
      }
      try {
        return await run()
      } finally {
        next = randomBytes
      }
    },
    end: () => put(randomBytes),
  }
}

function put(randomBytes: unknown): void {
  Object.assign(crypto, { randomBytes })
  syncBuiltinESMExports()
}
