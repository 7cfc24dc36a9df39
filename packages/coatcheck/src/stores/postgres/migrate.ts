import { checkFormat, checkServer } from './check.ts'
import { createDatabase } from './database.ts'
import { tablesOf } from './names.ts'
import { checkPool, type PostgresPool } from './pool.ts'
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
  const [row] = await ask('SELECT to_regclass($1) AS there', [tables.format])
  if (row?.['there'] === null) await script(postgresSchema(options))
  await checkFormat(ask, tables)
}
