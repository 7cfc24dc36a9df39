/** A schema's tables, quoted. */
export interface Tables {
  readonly schema: string
  readonly records: string
  readonly found: string
  readonly marks: string
  readonly claims: string
  readonly format: string
}

/** Names the tables of a schema. Throws a `TypeError` on a name that is not plain. */
export function tablesOf(schema: unknown): Tables {
  if (typeof schema !== 'string' || !PLAIN.test(schema) || schema.startsWith('pg_')) {
    throw new TypeError(
      'The schema of postgresStore has a name of up to 63 letters, digits, _ and -, which does not ' +
        "begin with a digit, - or pg_: { schema: 'coatcheck' }.",
    )
  }
  const quoted = `"${schema}"`
  return {
    schema: quoted,
    records: `${quoted}.records`,
    found: `${quoted}.found`,
    marks: `${quoted}.marks`,
    claims: `${quoted}.claims`,
    format: `${quoted}.format`,
  }
}

/** An id, an index or a claim, checked: it must come back as it went in, and fit into an index. */
export function checkName(name: string): string {
  const bytes = Buffer.byteLength(name)
  if (bytes > LONGEST) {
    throw new RangeError(
      `An id, index or claim of the Postgres store has at most ${LONGEST} bytes, this one has ${bytes}.`,
    )
  }
  if (name.includes('\0') || LONE_SURROGATE.test(name)) {
    throw new RangeError(
      'An id, index or claim of the Postgres store is well-formed text without NUL characters.',
    )
  }
  return name
}

/** A time, checked: to Postgres NaN is later than everything else. */
export function checkTime(milliseconds: number): number {
  if (typeof milliseconds === 'number' && !Number.isNaN(milliseconds)) return milliseconds
  throw new TypeError('A time of the Postgres store is a number of milliseconds since the epoch.')
}

/** `timeoutSeconds`, checked. */
export function checkTimeout(seconds: unknown): number {
  if (typeof seconds === 'number' && seconds > 0 && seconds <= 600) return seconds
  throw new TypeError('`timeoutSeconds` of postgresStore is a number of seconds, 600 at most.')
}

/** The core's names have at most 64 bytes. */
const LONGEST = 255
const LONE_SURROGATE = /\p{Surrogate}/u
const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/
