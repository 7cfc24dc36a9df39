import { it } from 'node:test'
import { startReplicated } from '../servers/replicated.ts'
import { runExample } from './run.ts'
import { assertSignsOut } from './signs-out.ts'

it('the Redis example does the same, with a replica that confirms each sign-out', async (t) => {
  const servers = await startReplicated()
  const { url = '' } = servers.nodes[0] ?? {}
  const example = await runExample(t, 'examples/redis.ts', { REDIS: url, REPLICAS: '1' })
  // After the example, which would tell of their end.
  t.after(() => servers.close())
  await assertSignsOut(example)
})
