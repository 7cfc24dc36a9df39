import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks a server, with a short pause in between, until the answer is yes. What the server threw last
 * is the cause of the error after `milliseconds`.
 */
export async function until(
  what: string,
  answer: () => boolean | Promise<boolean>,
  milliseconds = 30_000,
): Promise<void> {
  const end = performance.now() + milliseconds
  let last: unknown
  while (performance.now() < end) {
    try {
      if (await answer()) return
    } catch (error) {
      last = error
    }
    await pause(20)
  }
  throw new Error(`${milliseconds} ms went by until ${what}.`, { cause: last })
}
