import { it } from 'node:test'
import { runExample } from './run.ts'
import { assertSignsOut } from './signs-out.ts'

it('the quick start signs in, calls the API with the token, and calls it no more after a sign-out at the provider', async (t) => {
  await assertSignsOut(await runExample(t, 'examples/express.ts'))
})
