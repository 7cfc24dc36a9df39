import { getSystemErrorName } from 'node:util'

/** A constant of Node's, of the driver's or of the server's; LMDB has the system's numbers. */
export function codeOf(error: unknown): string | undefined {
  const { code, cause, errors } = (error ?? {}) as {
    code?: unknown
    cause?: unknown
    errors?: readonly unknown[]
  }
  if (typeof code === 'number' && code > 0 && code < 200) return getSystemErrorName(-code)
  if (typeof code === 'string' && (code === 'timeout' || /^[A-Z0-9][A-Z0-9_]{1,40}$/.test(code))) {
    return code
  }
  const next = cause ?? errors?.[0]
  return next === undefined ? undefined : codeOf(next)
}
