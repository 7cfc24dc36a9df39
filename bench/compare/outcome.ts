import { within } from './deadline.ts'

/** What a measure came to: its rows, and who failed at it and why. */
export interface Outcome<Row> {
  readonly rows: Row[]
  readonly failed: Record<string, string>
}

/** Nobody's failure keeps others from being measured. */
export interface Failures {
  readonly failed: Record<string, string>
  has(name: string): boolean
  /** Answers nothing, and notes why, where the act throws or takes longer than so many seconds. */
  attempt<T>(name: string, seconds: number, act: () => Promise<T>): Promise<T | undefined>
}

/** Nothing failed yet. */
export function noFailures(): Failures {
  const failed: Record<string, string> = {}
  return {
    failed,
    has: (name) => failed[name] !== undefined,
    async attempt(name, seconds, act) {
      try {
        return await within(seconds, name, act())
      } catch (error) {
        failed[name] ??= error instanceof Error ? error.message : String(error)
        return undefined
      }
    },
  }
}

/** Says on the terminal how far it is; the tables come at the end. */
export function progress(what: string): void {
  console.error(`${new Date().toISOString().slice(11, 19)}  ${what}`)
}
