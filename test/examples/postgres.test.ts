import { it } from 'node:test'
import { startPostgres } from '../servers/postgres.ts'
import { runExample } from './run.ts'
import { assertSignsOut } from './signs-out.ts'

it('the Postgres example does the same, and makes its schema itself', async (t) => {
  const server = await startPostgres()
  const example = await runExample(t, 'examples/postgres.ts', { POSTGRES: server.url })
  // After the example, which would tell of its end.
  t.after(() => server.close())
  await assertSignsOut(example)
})
