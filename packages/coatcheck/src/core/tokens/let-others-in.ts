/**
 * Whoever goes on at once with the next step or page of a store that never waits must not keep
 * requests waiting until all are done.
 */
export function letOthersIn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
