const REDACTED = '[redacted]'
/** Node's own name for "how to print me". */
const inspect = Symbol.for('nodejs.util.inspect.custom')

/** The same object, which prints and serializes as `[redacted]` and reads as before. */
export function redacted<T extends object>(secret: T): T {
  const hide = { value: () => REDACTED, enumerable: false }
  return Object.defineProperties(secret, { toString: hide, toJSON: hide, [inspect]: hide })
}
