import { getSystemErrorName } from 'node:util'

/**
 * The constant by which Node, a driver or a server names what went wrong: `ECONNREFUSED`,
 * `CERT_HAS_EXPIRED`, SQLSTATE `28P01`, Redis' `WRONGPASS`. `undefined` where there is none. It is
 * fit for a log; a message is not, since it may repeat what was sent.
 */
export function causeCode(cause: unknown): string | undefined {
  for (const error of chainOf(cause)) {
    const { code, message, name } = error
    // Those of a DOMException have numbers, too, which mean something else.
    if (typeof code === 'number' && name === 'Error') return numbered(code)
    if (typeof code === 'string' && CONSTANT.test(code)) return code
    // Redis has its codes in front of its messages.
    const first = name === 'ReplyError' ? /^[A-Z]+/.exec(String(message))?.[0] : undefined
    if (first !== undefined && OF_REDIS.has(first)) return first
  }
  return undefined
}

interface Failed {
  readonly code?: unknown
  readonly name?: unknown
  readonly message?: unknown
  readonly cause?: unknown
  readonly errors?: readonly unknown[]
}

/** What failed, and what it failed of: several addresses of one name fail together. */
function chainOf(cause: unknown): Failed[] {
  const chain: Failed[] = []
  let next = cause
  while (typeof next === 'object' && next !== null && chain.length < DEEPEST) {
    const error = next as Failed
    chain.push(error)
    next = error.cause ?? error.errors?.[0]
  }
  return chain
}

const DEEPEST = 5

/** As constants are written. What is longer or has another letter in it may be anything. */
const CONSTANT = /^[A-Z0-9][A-Z0-9_]{1,40}$/

const OF_REDIS = new Set([
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'NOAUTH',
  'NOPERM',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'WRONGPASS',
])

/** LMDB has the system's numbers, and negative ones of its own. */
function numbered(code: number): string | undefined {
  if (!Number.isInteger(code) || code === 0) return undefined
  if (code < 0) return String(code)
  const name = code < 200 ? getSystemErrorName(-code) : ''
  return /^E[A-Z0-9]+$/.test(name) ? name : undefined
}
