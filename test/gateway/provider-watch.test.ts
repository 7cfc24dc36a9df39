import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AuthError } from 'coatcheck'
import { watchProvider } from '#gateway/server/provider-watch'

/** What is logged of a provider that answers so. */
async function logged(error: unknown): Promise<unknown> {
  const auth = { coverage: () => Promise.reject(error) }
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const log = (message: string, fields?: object): void => resolve({ message, ...fields })
  const watch = watchProvider(auth as never, { debug: log, info: log, warn: log, error: log })
  const said = await promise
  watch.stop()
  return said
}

test('The log says of a provider that was reached and is not the one that is meant what it calls itself', async () => {
  const text = 'The metadata document of https://op.example cannot be used: it names the issuer x'
  assert.deepEqual(await logged(new AuthError('provider_invalid', text)), {
    message: 'provider_not_reached',
    reason: text,
    retryMilliseconds: 1_000,
  })
})

test('The log says of a provider that was not reached only by what constant that has a name', async () => {
  const cause = Object.assign(new Error('https://user:secret@op.example'), { code: 'ECONNREFUSED' })
  const error = new AuthError('provider_unreachable', 'It cannot be reached.', { cause })
  assert.deepEqual(await logged(error), {
    message: 'provider_not_reached',
    reason: 'ECONNREFUSED',
    retryMilliseconds: 1_000,
  })
})
