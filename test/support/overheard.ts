import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import type { Auth, AuthEvent } from '#coatcheck'

/** Everything a log could hold of an application: events, and errors down to their causes. */
export interface Overheard {
  /** For `observe`. */
  readonly event: (event: AuthEvent) => void
  /** The same `Auth`, whose errors are overheard. */
  listen(auth: Auth): Auth
  /** Fails when one of these values was seen. */
  assertSilentAbout(secrets: Iterable<string>): void
}

/** Listens as a debug log would: whole objects, all causes, hidden properties too. */
export function startListening(): Overheard {
  const lines: string[] = []
  const write = (what: unknown): void => {
    lines.push(
      inspect(what, { depth: 12, showHidden: true, maxStringLength: null }),
      JSON.stringify(what) ?? '',
    )
  }

  return {
    event: write,
    listen(auth) {
      const overhear =
        <Rest extends unknown[], T>(method: (...rest: Rest) => Promise<T>) =>
        async (...rest: Rest): Promise<T> => {
          try {
            return await method(...rest)
          } catch (error) {
            write(error)
            throw error
          }
        }
      return {
        ...auth,
        handle: overhear(auth.handle),
        session: overhear(auth.session),
        accessToken: overhear(auth.accessToken),
        fetch: overhear(auth.fetch),
        signOut: overhear(auth.signOut),
        refuseSignInsUnderWay: overhear(auth.refuseSignInsUnderWay),
        sessions: overhear(auth.sessions),
        coverage: overhear(auth.coverage),
      }
    },
    assertSilentAbout(secrets) {
      const text = lines.join('\n')
      for (const secret of secrets) {
        // Shorter ones are found in anything.
        if (secret.length < 12) continue
        assert.equal(
          text.includes(secret),
          false,
          `a secret of ${secret.length} characters was told`,
        )
      }
    },
  }
}
