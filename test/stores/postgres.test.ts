import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { migratePostgres, type PostgresPool, postgresStore } from '#coatcheck/stores/postgres'
import { testTokenStore } from '#coatcheck/testing/token-store'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import type { Closable } from '../servers/workplace.ts'

describe('postgresStore', () => {
  let server: PostgresServer & Closable
  let pool: pg.Pool
  before(async () => {
    server = await startPostgres()
    pool = new pg.Pool(server.config)
    const fits: PostgresPool = pool
    await migratePostgres(fits)
  })
  after(async () => {
    await pool.end()
    await server.close()
  })
  testTokenStore(it, (options) => postgresStore(pool, options))
})
