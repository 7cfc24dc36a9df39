import type pg from 'pg'
import type { PostgresClient, PostgresPool } from '#coatcheck/stores/postgres'

/** Decides which of several operations sends its next statement to the server. */
export interface Schedule {
  /** A pool whose statements wait for their turn. `change` may spoil them. */
  actor(change?: (text: string) => string): PostgresPool
  /** Runs operations against each other, one statement at a time, until all have ended. */
  run(operations: readonly (() => Promise<unknown>)[]): Promise<void>
}

interface Actor {
  state: 'elsewhere' | 'paused' | 'asking'
  pid: number
  go: () => void
}

/** `monitor` is a connection that sees who waits for whom; `choose` picks one of so many. */
export function createSchedule(
  pool: pg.Pool,
  monitor: pg.Client,
  choose: (count: number) => number,
): Schedule {
  const actors: Actor[] = []
  let running = false

  function turn(actor: Actor): Promise<void> {
    return new Promise((resolve) => {
      actor.state = 'paused'
      actor.go = () => {
        actor.state = 'asking'
        resolve()
      }
    })
  }

  /** Waits until whoever was let go has come to the next statement, to its end, or to a lock. */
  async function settle(isOver: () => boolean): Promise<void> {
    for (;;) {
      const asking = actors.filter(({ state }) => state === 'asking')
      const { rows } = await monitor.query(
        'SELECT pid FROM unnest($1::int[]) pid WHERE cardinality(pg_blocking_pids(pid)) > 0',
        [asking.map(({ pid }) => pid)],
      )
      // What ended meanwhile is not counted as blocked.
      const blocked = new Set(rows.map((row) => row.pid as number))
      const busy = actors.filter(({ state, pid }) => state === 'asking' && !blocked.has(pid))
      const isStuck = blocked.size > 0 && !actors.some(({ state }) => state === 'paused')
      if (isOver() || (busy.length === 0 && !isStuck && asking.length === blocked.size)) return
    }
  }

  return {
    actor(change = (text) => text) {
      const actor: Actor = { state: 'elsewhere', pid: 0, go: () => {} }
      actors.push(actor)
      return {
        on: () => {},
        off: () => {},
        async connect() {
          const client = await pool.connect()
          const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
          actor.pid = rows[0].pid
          const gated: PostgresClient = {
            on: (event, listener) => client.on(event, listener),
            off: (event, listener) => client.off(event, listener),
            release: (error) => client.release(error),
            async query(statement) {
              if (running) await turn(actor)
              try {
                return await client.query({ ...statement, text: change(statement.text) })
              } finally {
                actor.state = 'elsewhere'
              }
            },
          }
          return gated
        },
      }
    },

    async run(operations) {
      running = true
      let left = operations.length
      const ending = operations.map((operation) => operation().finally(() => left--))
      const all = Promise.allSettled(ending)
      while (left > 0) {
        await settle(() => left === 0)
        const paused = actors.filter(({ state }) => state === 'paused')
        paused[choose(paused.length)]?.go()
      }
      running = false
      const failed = (await all).find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}
