import { type Errand, Heard, type Run, runErrand } from './connection.ts'
import { isRetryable, toFailure } from './failure.ts'
import type { PostgresPool } from './pool.ts'

/** A row, each column as the server writes it. */
export type Row = Readonly<Record<string, string | null>>

/** Asks one statement. */
export type Ask = (text: string, values: readonly unknown[]) => Promise<readonly Row[]>

/** Statements on connections of a pool, all in transactions that end before the answer. */
export interface Database {
  /** One statement by itself. */
  readonly ask: Ask
  /**
   * Everything that `work` asks, or nothing. `begin` are statements without parameters, which go
   * to the server together with BEGIN. `work` runs again where the server wants that.
   */
  transact<T>(begin: readonly string[], work: (ask: Ask) => Promise<T>): Promise<T>
  /** Statements that begin and end a transaction of their own. */
  script(text: string): Promise<void>
}

/** What {@link createDatabase} needs beside the pool. */
export interface DatabaseOptions {
  readonly schema: string
  /** After so long the store gives up, and the server what is abandoned. */
  readonly timeoutSeconds: number
}

/** Speaks to the database of a pool, without ever leaving anything in a session. */
export function createDatabase(
  pool: PostgresPool,
  { schema, timeoutSeconds }: DatabaseOptions,
): Database {
  const milliseconds = Math.ceil(timeoutSeconds * 1_000)
  const opening = `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT ${settings(milliseconds)}`

  async function attempt<T>(errand: Errand<T>): Promise<T> {
    const until = performance.now() + milliseconds
    for (let left = ATTEMPTS; ; left--) {
      try {
        return await runErrand(pool, errand, until)
      } catch (error) {
        if (!(error instanceof Heard)) throw error
        if (left === 1 || !isRetryable(error.cause)) throw toFailure(error.cause, schema)
      }
    }
  }

  return {
    ask: (text, values) =>
      attempt({ transaction: false, work: (run) => asking(run)(text, values) }),

    transact: (begin, work) =>
      attempt({
        transaction: true,
        async work(run) {
          await run([opening, ...begin].join('; '))
          const answer = await work(asking(run))
          const { command } = await run('COMMIT')
          // So a server answers COMMIT where something had failed before.
          if (command !== 'COMMIT') throw new Error(`Postgres answered COMMIT by ${command}.`)
          return answer
        },
      }),

    script: (text) =>
      attempt({
        transaction: true,
        async work(run) {
          await run(text)
        },
      }),
  }
}

const ATTEMPTS = 5

/**
 * For this transaction only. READ COMMITTED above, whatever the pool's default is: in the others a
 * statement does not see what it waited for.
 */
function settings(milliseconds: number): string {
  const local: Readonly<Record<string, string>> = {
    // A process that is cut off in the middle must not keep its locks until TCP gives up on it.
    idle_in_transaction_session_timeout: `'${milliseconds}'`,
    statement_timeout: `'${milliseconds}'`,
    // Sign-ins and sign-outs of one user wait for each other; no longer than that.
    lock_timeout: `'0'`,
    // An answer says that it is on disk, even where the server is told not to wait for the disk.
    synchronous_commit: `coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on')`,
    // The way by the indexes is the best one for all of these statements, and the planner does not
    // know that of tables that were filled a moment ago.
    enable_seqscan: `'off'`,
    enable_bitmapscan: `'off'`,
    enable_hashjoin: `'off'`,
    enable_mergejoin: `'off'`,
    enable_sort: `'off'`,
    jit: `'off'`,
  }
  return Object.entries(local)
    .map(([name, value]) => `set_config('${name}', ${value}, true)`)
    .join(', ')
}

function asking(run: Run): Ask {
  return async (text, values) => (await run(text, values)).rows as Row[]
}
