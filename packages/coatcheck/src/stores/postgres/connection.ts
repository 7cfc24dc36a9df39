import { STANDBY } from './advice.ts'
import { isAnswer, unusable } from './failure.ts'
import type { PostgresAnswer, PostgresClient, PostgresPool, PostgresStatement } from './pool.ts'

/** Runs one statement on the connection. */
export type Run = (text: string, values?: readonly unknown[]) => Promise<PostgresAnswer>

/** Something that the pool, the connection or the server said, as the `cause`. */
export class Heard extends Error {}

/** Work on one connection. */
export interface Errand<T> {
  /** Waits for nothing but what it runs. */
  work(run: Run): Promise<T>
  /** Whether it begins a transaction, which is rolled back where it fails. */
  readonly transaction: boolean
}

/**
 * Takes a connection out of the pool, and releases it whatever happens: for good where it is lost
 * or did not answer until then (by `performance.now()`). The server then rolls back.
 */
export async function runErrand<T>(
  pool: PostgresPool,
  { work, transaction }: Errand<T>,
  until: number,
): Promise<T> {
  const client = await arrival(pool, until)
  // Without a listener the process ends; whatever is said here is said to the statement too.
  client.on('error', alsoTold)
  let sound = true
  let over = false
  try {
    return await before(until, work(running(client, () => over)))
  } catch (error) {
    sound = await recovers(client, error, transaction, until)
    throw error
  } finally {
    over = true
    client.off('error', alsoTold)
    client.release(sound ? undefined : new Error('This connection is lost or did not answer.'))
  }
}

/** Tells what the server does not tell itself: that it follows another, which may be ahead. */
function refuseStandby({ rows: [row] }: PostgresAnswer): void {
  if (typeof row !== 'object' || row === null || Reflect.get(row, 'standby') !== 't') return
  throw unusable(STANDBY)
}

/** What was given up sends nothing any more: the connection may be somebody else's. */
function running(client: PostgresClient, isOver: () => boolean): Run {
  return async (text, values) => {
    if (isOver()) throw new Error('This was given up.')
    const statement: PostgresStatement = values
      ? { text, values: [...values], types: AS_WRITTEN }
      : { text }
    try {
      const answer = await client.query(statement)
      // Several statements at once have several answers.
      if (values !== undefined) refuseStandby(answer)
      return answer
    } catch (cause) {
      throw new Heard('A statement failed.', { cause })
    }
  }
}

/** Whether the connection is as it was before. */
async function recovers(
  client: PostgresClient,
  error: unknown,
  transaction: boolean,
  until: number,
): Promise<boolean> {
  if (error instanceof Heard && !isAnswer(error.cause)) return false
  if (!transaction) return true
  try {
    await before(until, client.query({ text: 'ROLLBACK' }))
    return true
  } catch {
    // What went wrong first is told; the server rolls back when the connection is closed.
    return false
  }
}

async function arrival(pool: PostgresPool, until: number): Promise<PostgresClient> {
  const connecting = pool.connect()
  try {
    return await before(until, connecting)
  } catch (cause) {
    // It may still come.
    connecting.then(
      (client) => client.release(),
      () => undefined,
    )
    if (cause instanceof Heard) throw cause
    throw new Heard('The pool has no connection.', { cause })
  }
}

/** Rejects where an answer takes longer than that. */
async function before<T>(until: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const cause = new Error('Postgres did not answer in time.')
      reject(new Heard('Too late.', { cause }))
    }, until - performance.now())
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}

function alsoTold(): void {
  // Told by the statement that runs, or by the next one.
}

/** Every column as the server writes it, whatever the application has told `pg` about types. */
const AS_WRITTEN = { getTypeParser: () => (text: string) => text }
