import { checkFormat, checkServer } from './check.ts'
import { createDatabase } from './database.ts'
import { tablesOf } from './names.ts'
import { checkPool, type PostgresPool } from './pool.ts'
import { isTrue } from './rows.ts'
import { type PostgresSchemaOptions, postgresSchema } from './schema.ts'

/**
 * Makes the schema of `postgresStore` where it is not there. May be called any number of times,
 * by many processes at once. Rejects `store_unusable` where the schema has another format.
 */
export async function migratePostgres(
  pool: PostgresPool,
  options: PostgresSchemaOptions = {},
): Promise<void> {
  checkPool(pool)
  const tables = tablesOf(options.schema ?? 'coatcheck')
  const { ask, script } = createDatabase(pool, { schema: tables.schema, timeoutSeconds: 60 })
  await checkServer(ask)
  const { format, records, found, marks, claims } = tables
  const [row] = await ask(THERE, [format, [format, records, found, marks, claims]])
  if (isTrue(row, 'begun')) await checkFormat(ask, tables)
  // Where nothing is to be done, the role need not be one that may do it.
  if (!isTrue(row, 'complete')) await script(postgresSchema(options))
  await checkFormat(ask, tables)
}

const THERE = `
  SELECT to_regclass($1) IS NOT NULL AS begun, bool_and(to_regclass(name) IS NOT NULL) AS complete
  FROM unnest($2::text[]) name`
