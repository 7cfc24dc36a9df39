import { incomplete } from './advice.ts'
import { INCOMPLETE } from './failure.ts'
import { inventoryOf } from './inventory.ts'
import { type Tables, tablesOf } from './names.ts'

/** Raised whenever the tables change: records of another layout are never misread. */
export const FORMAT = 1

/** Where the store keeps its tables. */
export interface PostgresSchemaOptions {
  /** Default `coatcheck`. */
  readonly schema?: string
}

/**
 * The statements that make the schema of `postgresStore`, to be read, or run by an administrator:
 * `migratePostgres` runs these very ones. They may be run any number of times, by many at once.
 */
export function postgresSchema({ schema = 'coatcheck' }: PostgresSchemaOptions = {}): string {
  return statementsOf(tablesOf(schema)).join(';\n\n').concat(';\n')
}

function statementsOf(tables: Tables): string[] {
  const { schema, records, found, marks, claims, format } = tables
  const settings = 'autovacuum_vacuum_scale_factor = 0.05'
  const large = `${settings}, toast.${settings}`
  return [
    // After the wait for the lock each statement sees what the others did meanwhile.
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    `-- One at a time, however long that takes: IF NOT EXISTS alone fails where two create at once.
SET LOCAL lock_timeout = 0`,
    `SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`,
    `-- Nothing is made beside what is left of these tables: empty, it would find nobody's sessions.
${refusal(tables)}`,
    `-- Where it is there, nobody needs to be allowed to make one.
DO $$ BEGIN
  IF to_regnamespace('${schema}') IS NULL THEN CREATE SCHEMA ${schema}; END IF;
END $$`,
    `-- Which layout these tables have. A version of coatcheck with another one refuses to work.
CREATE TABLE IF NOT EXISTS ${format} (version integer NOT NULL)`,
    `INSERT INTO ${format} SELECT ${FORMAT} WHERE NOT EXISTS (SELECT FROM ${format})`,
    `-- Sealed records, each cut in two. Times are milliseconds since the epoch.
CREATE TABLE IF NOT EXISTS ${records} (
  id text COLLATE "C" PRIMARY KEY,
  head bytea NOT NULL,
  tail bytea NOT NULL,
  expires_at double precision NOT NULL,
  provider double precision NOT NULL,
  here double precision NOT NULL,
  indexes text[] COLLATE "C" NOT NULL
) WITH (${large})`,
    `-- Ciphertext does not compress. The head leaves the row, and what is left over stays in it.
ALTER TABLE ${records}
  ALTER COLUMN head SET STORAGE EXTERNAL,
  ALTER COLUMN tail SET STORAGE PLAIN,
  ALTER COLUMN indexes SET STORAGE MAIN`,
    `CREATE INDEX IF NOT EXISTS records_expires_at ON ${records} (expires_at)`,
    `-- By which indexes a record is found: one row for each entry of records.indexes.
CREATE TABLE IF NOT EXISTS ${found} (
  index text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  PRIMARY KEY (index, id)
) WITH (${settings})`,
    `-- "Everything established until then is signed out."
CREATE TABLE IF NOT EXISTS ${marks} (
  index text COLLATE "C" NOT NULL,
  clock text COLLATE "C" NOT NULL,
  established_until double precision NOT NULL,
  keep_until double precision NOT NULL,
  PRIMARY KEY (index, clock)
) WITH (${settings})`,
    `CREATE INDEX IF NOT EXISTS marks_keep_until ON ${marks} (keep_until)`,
    `CREATE TABLE IF NOT EXISTS ${claims} (
  key text COLLATE "C" PRIMARY KEY,
  until double precision NOT NULL
) WITH (${settings})`,
    `CREATE INDEX IF NOT EXISTS claims_until ON ${claims} (until)`,
    'COMMIT',
  ]
}

function refusal(tables: Tables): string {
  const { parts, lost } = inventoryOf(tables)
  return `DO $$
DECLARE
  parts record;
  gone text;
BEGIN
  SELECT * INTO parts FROM (${parts}
  ) there;
  gone := parts.missing;
  IF parts.begun AND gone IS NULL THEN
    gone := ${lost};
  END IF;
  IF parts.begun AND gone IS NOT NULL THEN
    RAISE EXCEPTION '${incomplete(tables, '%')}', gone USING ERRCODE = '${INCOMPLETE}';
  END IF;
END $$`
}

/** Any number that nobody else uses; taken for the moment of a migration only. */
const MIGRATION_LOCK = '7163384699739271533'
