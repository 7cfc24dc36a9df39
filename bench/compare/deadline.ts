/** Fails where something takes longer than so many seconds: what hangs is not to hold up all the rest. */
export async function within<T>(seconds: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${what} took longer than ${seconds} s.`)
    timer = setTimeout(() => reject(error), seconds * 1_000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
