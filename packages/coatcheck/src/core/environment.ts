/** Time, randomness and the network, as parameters: the one seam for tests. */
export interface Environment {
  /** Milliseconds since the epoch. */
  now(): number
  /** Fresh unguessable bytes. */
  random(length: number): Uint8Array
  /** Every request to the provider and to the APIs goes through it. */
  fetch(input: string | URL, init?: RequestInit): Promise<Response>
  /** Resolves after that many milliseconds, or when the signal fires. Never keeps a process alive. */
  wait(milliseconds: number, signal?: AbortSignal): Promise<void>
}

/** Key of `createAuth`'s options under which a test passes parts of an {@link Environment}. */
export const environment: unique symbol = Symbol('coatcheck.environment')

/** The real one. */
export const systemEnvironment: Environment = {
  now: () => Date.now(),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  fetch: (input, init) => fetch(input, init),
  wait: (milliseconds, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      timer.unref()
      signal?.addEventListener('abort', done)
    }),
}
