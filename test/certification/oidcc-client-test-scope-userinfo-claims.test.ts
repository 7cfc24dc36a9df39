import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`asks for claims by scope and finds them in UserInfo, answered by ${responseMode} [COR-1]`, async (t) => {
    const scope = 'openid profile email phone address'
    const app = await startModule(t, { responseMode, scope })
    const claims = { email: 'jo@op.test', phone_number: '+1 555', address: { locality: 'Ulm' } }
    app.provider.user = { sub: 'U1', claims }

    const session = await assertAccepted(app)

    const { query } = await app.provider.received('authorization')
    assert.equal(query.get('scope'), scope)
    const { email, phone_number, address } = session.claims
    assert.deepEqual({ email, phone_number, address }, claims)
  })
}
