// better-auth with its generic OAuth plugin on Express, on SQLite by `node:sqlite` or on Postgres by `pg`,
// as its documentation has both.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import { genericOAuth } from 'better-auth/plugins'
import express from 'express'
import pg from 'pg'
import { ROUTE, readTask, ready, SECRET } from '../compare/task.ts'

const { port, origin, provider, variant, postgres } = readTask()

const folder = mkdtempSync(join(tmpdir(), 'coatcheck-bench-'))
const pool = variant === 'postgres' ? new pg.Pool({ connectionString: postgres }) : undefined
const auth = betterAuth({
  baseURL: origin,
  secret: SECRET,
  database: pool ?? new DatabaseSync(join(folder, 'sqlite.db')),
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  plugins: [
    genericOAuth({
      config: [
        {
          providerId: 'bench',
          discoveryUrl: `${provider.issuer}/.well-known/openid-configuration`,
          clientId: provider.clientId,
          clientSecret: provider.clientSecret,
          scopes: ['openid', 'profile', 'email', 'offline_access'],
        },
      ],
    }),
  ],
})
await migrate()

// An application knows which account it wants; asking each time would cost two reads more.
const accounts = new Map<string, string>()

const app = express()
app.all('/api/auth/*splat', toNodeHandler(auth))
app.get(ROUTE, async (request, response) => {
  const headers = fromNodeHeaders(request.headers)
  const session = await auth.api.getSession({ headers })
  if (session === null) {
    response.status(401).json({})
    return
  }
  const known = accounts.get(session.user.id)
  const accountId = known ?? (await auth.api.listUserAccounts({ headers }))[0]?.id ?? ''
  accounts.set(session.user.id, accountId)
  const { accessToken } = await auth.api.getAccessToken({ body: { accountId }, headers })
  response.json({ sub: session.user.name.replace('User ', ''), length: accessToken.length })
})
// What it cannot refresh is an error for the user, and a table needs no stack of it.
app.use((_: Error, __: express.Request, response: express.Response, ___: express.NextFunction) => {
  response.status(500).json({})
})
app.listen(port, '127.0.0.1', () => {
  ready(async () => rmSync(folder, { recursive: true }))
})

/** Several processes start at once, and one of them is to do it. */
async function migrate(): Promise<void> {
  const client = await pool?.connect()
  await client?.query('SELECT pg_advisory_lock(1)')
  await (await getMigrations(auth.options)).runMigrations()
  await client?.query('SELECT pg_advisory_unlock(1)')
  client?.release()
}
