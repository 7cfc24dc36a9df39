import { notAllowedToMake } from './advice.ts'
import { isThere } from './check.ts'
import { createDatabase } from './database.ts'
import { isRefused, unusable } from './failure.ts'
import { tablesOf } from './names.ts'
import { checkPool, dropped, type PostgresPool } from './pool.ts'
import { type PostgresSchemaOptions, postgresSchema } from './schema.ts'

/**
 * Makes the schema of `postgresStore` where nothing of it is there. May be called any number of
 * times, by many processes at once. Rejects `store_unusable` where the schema has another format,
 * and where only parts of it are left: made anew, they would not know who is signed in or out.
 */
export async function migratePostgres(
  pool: PostgresPool,
  options: PostgresSchemaOptions = {},
): Promise<void> {
  checkPool(pool)
  const tables = tablesOf(options.schema ?? 'coatcheck')
  const { ask, script } = createDatabase(pool, { schema: tables.schema, timeoutSeconds: 60 })
  pool.on('error', dropped)
  try {
    // Where nothing is to be done, the role need not be one that may do it.
    if (await isThere(ask, tables)) return
    await script(postgresSchema(options)).catch((error: unknown) => {
      throw isRefused(error) ? unusable(notAllowedToMake(tables.schema), error) : error
    })
    await isThere(ask, tables)
  } finally {
    pool.off('error', dropped)
  }
}
