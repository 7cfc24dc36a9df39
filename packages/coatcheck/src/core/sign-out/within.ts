import type { Context } from '../context.ts'

/** Does something that hears by a signal when its time is up, or when `stopping` fires. */
export async function within<T>(
  { environment }: Context,
  milliseconds: number,
  stopping: AbortSignal | undefined,
  work: (over: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const done = new AbortController()
  const signals = stopping === undefined ? [done.signal] : [done.signal, stopping]
  void environment.wait(milliseconds, AbortSignal.any(signals)).then(() => {
    if (!done.signal.aborted) over.abort()
  })
  try {
    return await work(over.signal)
  } finally {
    done.abort()
  }
}
