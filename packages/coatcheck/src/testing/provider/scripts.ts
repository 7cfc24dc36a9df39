import type { Answer, EndpointName, ProviderRequest } from './exchange.ts'
import type { TokenDraft } from './jwt.ts'

/** What a script can change on its way out. */
export interface Scriptable extends Record<EndpointName, Answer> {
  id_token: TokenDraft
  access_token: TokenDraft
  logout_token: TokenDraft
  /** The parameters of the authorization response, errors included. */
  authorization_response: URLSearchParams
  /** Where end-session sends the browser, `state` included. */
  sign_out_return: URL
}

/** Which of several a script is for. */
export interface ScriptOptions {
  /** How often; `Infinity` is always. Default 1. */
  readonly times?: number
  /** Only for this `grant_type`. */
  readonly grant?: string
}

/** Changes a draft in place; what it returns is awaited and otherwise ignored. */
export type Change<Draft> = (draft: Draft, request: ProviderRequest | undefined) => unknown

/** What to do about something: a change, or (for an endpoint) an answer in its place. */
export type Script<Draft> = Change<Draft> | (Draft extends Answer ? Partial<Answer> : never)

/** Scripts that wait for their moment. */
export interface Scripts<Value> {
  /** Adds one and returns how to take it back. */
  add(what: string, value: Value, options?: ScriptOptions): () => void
  /** Those that apply now: all that apply always, then the oldest of the others. */
  take(what: string, grant: string | undefined): Value[]
  /** Takes all back. */
  clear(): void
}

/** An empty stage. */
export function createScripts<Value>(): Scripts<Value> {
  const entries: { what: string; value: Value; left: number; grant: string | undefined }[] = []
  const remove = (entry: (typeof entries)[number]): void => {
    const place = entries.indexOf(entry)
    if (place >= 0) entries.splice(place, 1)
  }

  return {
    add: (what, value, { times = 1, grant } = {}) => {
      const entry = { what, value, left: times, grant }
      entries.push(entry)
      return () => remove(entry)
    },
    take: (what, grant) => {
      const fitting = entries.filter(
        (entry) => entry.what === what && (entry.grant === undefined || entry.grant === grant),
      )
      const applied = fitting.filter((entry) => entry.left === Infinity)
      const once = fitting.find((entry) => entry.left !== Infinity)
      if (once) {
        applied.push(once)
        once.left -= 1
        if (once.left <= 0) remove(once)
      }
      return applied.map((entry) => entry.value)
    },
    clear: () => {
      entries.length = 0
    },
  }
}
