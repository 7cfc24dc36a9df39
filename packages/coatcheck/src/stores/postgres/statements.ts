import type { Tables } from './names.ts'

/** The text of every statement, for the tables of one schema. */
export interface Statements {
  readonly now: string
  readonly get: string
  readonly list: string
  readonly insert: string
  readonly lockIfExpired: string
  readonly replace: string
  readonly lock: string
  readonly covered: string
  readonly lockCovered: string
  readonly lockExpired: string
  readonly erase: string
  readonly eraseAndMark: string
  readonly write: string
  readonly writeUnlessThere: string
  readonly claim: string
  readonly sweepMarks: string
  readonly sweepClaims: string
  readonly isEmpty: string
}

/**
 * Where a time is `$n::float8`, that is the clock of a test; the server's where it is null. A
 * statement's own time, since the server may look up only what does not change in the middle.
 */
function at(parameter: string): string {
  return `coalesce(${parameter}::float8, (extract(epoch FROM statement_timestamp()) * 1000)::float8)`
}

/** Writes the statements for these tables. */
export function statementsFor({ records, found, marks, claims }: Tables): Statements {
  const standby = 'pg_is_in_recovery() AS standby'
  const columns = 'id, head, tail, expires_at, provider, here, indexes'

  /** Whether a mark on one of the indexes refuses what was established then. */
  const refused = (indexes: string, provider: string, here: string, now: string): string => `
    EXISTS (
      SELECT FROM ${marks} m
      WHERE m.index = ANY (${indexes}) AND m.keep_until > ${now} AND m.established_until >=
        CASE m.clock WHEN 'here' THEN ${here}::float8 ELSE ${provider}::float8 END
    )`

  /** Rows of several records at once; each is told where its value begins, and its indexes by its id. */
  const write = (onConflict: string): string => `
    WITH given AS MATERIALIZED (
      SELECT n.*, sum(n.head + n.tail) OVER (ORDER BY n.nth) - n.head - n.tail + 1 AS at
      FROM unnest(
        $1::text[], $3::int[], $4::int[], $5::float8[], $6::float8[], $7::float8[]
      ) WITH ORDINALITY n (id, head, tail, expires_at, provider, here, nth)
    ), written AS (
      INSERT INTO ${records} (${columns})
      SELECT g.id, substr($2::bytea, g.at::int, g.head),
        substr($2::bytea, g.at::int + g.head, g.tail), g.expires_at, g.provider, g.here, ARRAY(
          SELECT i.index FROM unnest($8::text[], $9::text[]) i (id, index) WHERE i.id = g.id
        )
      FROM given g
      ${onConflict}
      RETURNING id, indexes
    )
    INSERT INTO ${found} (index, id)
    SELECT i.index, w.id FROM written w, unnest(w.indexes) i (index)
    ON CONFLICT DO NOTHING`

  /** In `gone` both columns are in one row, lest the planner look up one and compare the other. */
  const erasing = `erased AS (
        DELETE FROM ${records} WHERE id = ANY ($1::text[]) RETURNING id, indexes
      ), gone AS MATERIALIZED (
        SELECT e.id, i.index FROM erased e, unnest(e.indexes) i (index)
      )
      DELETE FROM ${found} f USING gone g WHERE f.index = g.index AND f.id = g.id`

  const sweep = (table: string, key: string, until: string): string => `
    DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE ${until} <= ${at('$1')}
      ORDER BY ${until} LIMIT $2::int FOR UPDATE SKIP LOCKED
    )) AND ${until} <= ${at('$1')} RETURNING ${key}`

  return {
    now: `SELECT ${standby}, extract(epoch FROM clock_timestamp()) * 1000 AS now`,

    get: `
      SELECT ${standby}, p.*
      FROM (VALUES (1)) one LEFT JOIN LATERAL (
        SELECT ${unlessKnown('r', '$3::text')} FROM ${records} r
        WHERE id = $1::text AND expires_at > ${at('$2')}
      ) p ON true`,

    list: `
      SELECT ${standby}, p.id, p.version, ${bytesOf('p')} AS value
      FROM (VALUES (1)) one LEFT JOIN LATERAL (
        SELECT f.id, r.head, r.tail, ${versionOf('r')} AS version FROM ${found} f JOIN ${records} r ON r.id = f.id
        WHERE f.index = $1::text AND ($2::text IS NULL OR f.id > $2::text)
          AND r.expires_at > ${at('$4')} AND f.index = ANY (r.indexes)
        ORDER BY f.id LIMIT $3::int
      ) p ON true
      ORDER BY p.id`,

    insert: `
      WITH refused AS MATERIALIZED (
        SELECT ${refused('$7::text[]', '$5', '$6', at('$8'))} AS yes
      ), written AS (
        INSERT INTO ${records} (${columns})
        SELECT $1::text, $2::bytea, $3::bytea, $4::float8, $5::float8, $6::float8, $7::text[]
        FROM refused WHERE NOT yes
        ON CONFLICT DO NOTHING
        RETURNING id
      ), indexed AS (
        INSERT INTO ${found} (index, id)
        SELECT i.index, w.id FROM written w, unnest($7::text[]) i (index)
        ON CONFLICT DO NOTHING
      )
      SELECT EXISTS (SELECT FROM written) AS written, (SELECT yes FROM refused) AS refused`,

    lockIfExpired: `
      SELECT id, indexes FROM ${records} WHERE id = $1::text AND expires_at <= ${at('$2')} FOR UPDATE`,

    replace: `
      WITH refused AS MATERIALIZED (
        SELECT ${refused('$7::text[]', '$5', '$6', at('$10'))} AS yes
      ), held AS (
        SELECT id, indexes FROM ${records} WHERE id = $1::text FOR UPDATE
      ), replaced AS (
        UPDATE ${records} r
        SET head = $2::bytea, tail = $3::bytea, expires_at = $4::float8,
          provider = $5::float8, here = $6::float8, indexes = $7::text[]
        FROM held h, refused
        WHERE r.id = h.id AND r.tail = $9::bytea AND r.head = $8::bytea
          AND r.expires_at > ${at('$10')} AND NOT refused.yes
        RETURNING h.id, h.indexes AS before
      ), gone AS MATERIALIZED (
        SELECT r.id, i.index FROM replaced r, unnest(r.before) i (index)
        WHERE i.index <> ALL ($7::text[])
      ), dropped AS (
        DELETE FROM ${found} f USING gone g WHERE f.index = g.index AND f.id = g.id
      ), indexed AS (
        INSERT INTO ${found} (index, id)
        SELECT i.index, r.id FROM replaced r, unnest($7::text[]) i (index)
        WHERE i.index <> ALL (r.before)
        ON CONFLICT DO NOTHING
      )
      SELECT EXISTS (SELECT FROM replaced) AS replaced`,

    lock: `
      SELECT id, ${bytesOf('r')} AS value FROM ${records} r WHERE id = $1::text FOR UPDATE`,

    covered: `
      SELECT DISTINCT c.id, EXISTS (SELECT FROM ${records} WHERE id = $6::text) AS flagged
      FROM unnest($1::text[], $2::text[], $3::float8[]) m (index, clock, until) CROSS JOIN LATERAL (
        SELECT f.id FROM ${found} f JOIN ${records} r ON r.id = f.id
        WHERE f.index = m.index AND ${ends('r', 'm')}
        ORDER BY f.id LIMIT $5::int
      ) c
      ORDER BY c.id LIMIT $5::int`,

    // What was found may be gone or changed until it is locked: all is compared once more.
    lockCovered: `
      SELECT r.id, ${unlessKnown('r', '($6::text[])[array_position($5::text[], r.id)]')}
      FROM ${records} r
      WHERE r.id = ANY ($5::text[]) AND EXISTS (
        SELECT FROM unnest($1::text[], $2::text[], $3::float8[]) m (index, clock, until)
        WHERE ${ends('r', 'm')}
      )
      ORDER BY r.id FOR UPDATE OF r`,

    lockExpired: `
      SELECT id, ${bytesOf('r')} AS value FROM ${records} r WHERE expires_at <= ${at('$1')}
      ORDER BY expires_at LIMIT $2::int FOR UPDATE SKIP LOCKED`,

    erase: `WITH ${erasing}`,

    eraseAndMark: `
      WITH marked AS (
        INSERT INTO ${marks} AS m (index, clock, established_until, keep_until)
        SELECT index, clock, max(established_until), max(keep_until)
        FROM unnest($2::text[], $3::text[], $4::float8[], $5::float8[])
          n (index, clock, established_until, keep_until)
        GROUP BY index, clock ORDER BY index, clock
        ON CONFLICT (index, clock) DO UPDATE SET
          established_until = greatest(m.established_until, excluded.established_until),
          keep_until = greatest(m.keep_until, excluded.keep_until)
        WHERE m.established_until < excluded.established_until OR m.keep_until < excluded.keep_until
      ), ${erasing}`,

    write: write(''),
    writeUnlessThere: write('ON CONFLICT DO NOTHING'),

    // Whoever claims the same waits for the other's answer, whatever the role is told about locks.
    claim: `
      INSERT INTO ${claims} AS c (key, until) SELECT $1::text, $2::float8
      WHERE set_config('lock_timeout', '0', true) = '0'
      ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE c.until <= ${at('$3')}
      RETURNING key`,

    sweepMarks: sweep(marks, 'index', 'keep_until'),
    sweepClaims: sweep(claims, 'key', 'until'),

    isEmpty: `SELECT ${standby}, NOT EXISTS (SELECT FROM ${records}) AS empty`,
  }
}

/** On the way only, whatever the server is told about printing bytes. A third less than in hex. */
function bytesOf(record: string): string {
  return `encode(${record}.head || ${record}.tail, 'base64')`
}

/**
 * A row is written in one place by one transaction, and whatever is written over it is another row.
 * Both numbers come again after billions of transactions, or where a standby took over that lacked
 * the last ones: then who asks gets what it read before of a record that is there, for a minute.
 */
function versionOf(record: string): string {
  return `${record}.ctid::text || ${record}.xmin::text`
}

/** The version of a record, and its bytes unless it is the version of those that the caller has. */
function unlessKnown(record: string, known: string): string {
  return `${versionOf(record)} AS version,
    CASE WHEN ${versionOf(record)} = ${known} THEN NULL ELSE ${bytesOf(record)} END AS value`
}

/** Whether leaving a mark ends a record that is there; `$4`: the removal was begun before. */
function ends(record: string, mark: string): string {
  return `${mark}.index = ANY (${record}.indexes) AND (
    (${mark}.clock = 'here' AND NOT $4::boolean) OR
    CASE ${mark}.clock WHEN 'here' THEN ${record}.here ELSE ${record}.provider END <= ${mark}.until
  )`
}
