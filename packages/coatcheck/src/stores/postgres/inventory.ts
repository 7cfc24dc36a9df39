import type { Tables } from './names.ts'

/** Questions about what is there of the tables that `postgresSchema` makes. */
export interface Inventory {
  /**
   * One row, to a role that may use nothing too: whether any table is there (`begun`), whether that
   * of the version is (`versioned`), and the names of what is not (`missing`), null where all is.
   */
  readonly parts: string
  /** The version, where its table is there. */
  readonly version: string
  /** Where all tables are there: the name of what they have lost, or null. */
  readonly lost: string
}

/** Writes the questions for these tables. */
export function inventoryOf({ schema, format, records, found }: Tables): Inventory {
  return {
    // Without its primary key a table can hold something twice. And a restore makes the keys when
    // it has written all rows: while one is missing, sessions may not be found yet.
    parts: `
  SELECT count(c.oid) > 0 AS begun,
    count(c.oid) FILTER (WHERE t.name = 'format') > 0 AS versioned,
    string_agg(CASE WHEN c.oid IS NULL THEN t.name ELSE 'the key of ' || t.name END, ', ')
      FILTER (WHERE c.oid IS NULL OR k.oid IS NULL AND t.name <> 'format') AS missing
  FROM unnest(ARRAY['format', 'records', 'found', 'marks', 'claims']) t (name)
  LEFT JOIN pg_catalog.pg_class c
    ON c.relname = t.name AND c.relnamespace = to_regnamespace('${schema}')
  LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'`,

    version: `(SELECT max(version) FROM ${format})`,

    // A record and what finds it are written, and erased, in one statement.
    lost: `CASE
      WHEN NOT EXISTS (SELECT FROM ${format}) THEN 'the row of format'
      WHEN EXISTS (SELECT FROM ${found}) THEN NULL
      WHEN EXISTS (SELECT FROM ${records} WHERE cardinality(indexes) > 0) THEN 'the rows of found'
    END`,
  }
}
