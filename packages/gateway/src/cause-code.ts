import { getSystemErrorName } from 'node:util'

/**
 * The constant by which Node, a driver or a server names what went wrong: `ECONNREFUSED`,
 * `CERT_HAS_EXPIRED`, SQLSTATE `28P01`; `timeout` where nothing came. That of the innermost cause
 * that has one, `undefined` where none does. The library does the same, for itself.
 */
export function causeCode(error: unknown): string | undefined {
  return chainOf(error)
    .map(constantOf)
    .findLast((one) => one !== undefined)
}

/** A word for the log: that constant or a name, never a message, which may repeat a URL. */
export function reasonOf(error: unknown): string {
  const { code, name } = chainOf(error).at(-1) ?? {}
  return causeCode(error) ?? (typeof code === 'string' ? code : String(name))
}

interface Failed {
  readonly code?: unknown
  readonly name?: unknown
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** What failed, then what it failed of: several addresses of one name fail together. */
function chainOf(error: unknown): Failed[] {
  if (typeof error !== 'object' || error === null) return []
  const failed: Failed = error
  return [failed, ...chainOf(failed.cause ?? failed.errors?.[0])]
}

function constantOf({ code, name }: Failed): string | undefined {
  if (name === 'TimeoutError') return 'timeout'
  if (typeof code === 'string') return CONSTANT.test(code) ? code : undefined
  // LMDB has the system's numbers; those of a DOMException mean something else.
  const isSystem = typeof code === 'number' && name === 'Error' && code > 0 && code < 200
  return isSystem ? getSystemErrorName(-code) : undefined
}

/** As constants are written. */
const CONSTANT = /^[A-Z0-9][A-Z0-9_]{1,40}$/
