/**
 * A server's answer, the same of every driver and of RESP2 and RESP3: text is a Buffer, status
 * lines like `OK` too; a map is its fields and values in turn, as RESP2 has it.
 */
export type RedisAnswer = Buffer | number | null | readonly RedisAnswer[]

/** Makes a driver's answer one of ours; an error inside it is thrown. */
export function toAnswer(given: unknown): RedisAnswer {
  if (given === null || given === undefined) return null
  if (typeof given === 'number') return given
  if (Buffer.isBuffer(given)) return given
  if (typeof given === 'string') return Buffer.from(given)
  if (typeof given === 'boolean') return given ? 1 : 0
  if (typeof given === 'bigint') return Number(given)
  if (Array.isArray(given)) return given.map(toAnswer)
  if (given instanceof Map) return [...given].flat().map(toAnswer)
  if (given instanceof Set) return [...given].map(toAnswer)
  if (given instanceof Error) throw toError(given)
  return Object.entries(given).flat().map(toAnswer)
}

/**
 * A driver's error without what drivers attach to it: the command's arguments hold keys and
 * sealed records, which must not reach a log. The server's or the driver's message stays.
 */
export function toError(thrown: unknown): Error {
  if (!(thrown instanceof Error)) return new Error('The Redis client threw what is no Error.')
  const code: unknown = Reflect.get(thrown, 'code')
  // Where a host has several addresses and none answers, Node leaves the message empty.
  const error = new Error(withoutArguments(thrown.message) || String(code ?? thrown.name))
  error.name = thrown.name
  return typeof code === 'string' ? Object.assign(error, { code }) : error
}

/** `ERR unknown command 'X', with args beginning with: …` is the one answer that quotes them. */
function withoutArguments(message: string): string {
  return message.replace(/,? with args beginning with:.*$/s, '')
}
