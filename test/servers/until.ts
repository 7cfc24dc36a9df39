import { setTimeout as pause } from 'node:timers/promises'

/**
 * Asks a server, with a short pause in between, until there is an answer, and answers that. What the
 * server threw last is the cause of the error after `milliseconds`.
 */
export async function until<Answer extends object | true>(
  what: string,
  ask: () => Answer | false | undefined | Promise<Answer | false | undefined>,
  milliseconds = 30_000,
): Promise<Answer> {
  const end = performance.now() + milliseconds
  let last: unknown
  while (performance.now() < end) {
    try {
      const answer = await ask()
      if (answer !== false && answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    await pause(20)
  }
  throw new Error(`${milliseconds} ms went by until ${what}.`, { cause: last })
}
