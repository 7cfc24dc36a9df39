import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startModule, startSignIn } from './support.ts'

it('stops before the authorization request where the issuer is another [DIS-2]', async (t) => {
  const app = await startModule(t)
  app.provider.metadata.issuer = `${app.provider.issuer}INVALID`

  const page = await startSignIn(app, app.browser())

  assert.equal(`${page.status} ${page.url.pathname}`, '502 /auth/sign-in')
  const [failure, ...more] = app.heard('sign_in_failed')
  assert.equal(failure?.code, 'provider_invalid')
  assert.match(failure.reason, /issuer/)
  assert.deepEqual(more, [])
  const others = app.provider.requests.filter(({ endpoint }) => endpoint !== 'discovery')
  assert.deepEqual(others, [])
})
