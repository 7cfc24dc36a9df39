import assert from 'node:assert/strict'
import { it } from 'node:test'
import { assertAccepted, responseModes, startModule } from './support.ts'

for (const responseMode of responseModes) {
  it(`proves itself by client_secret_basic, answered by ${responseMode} [COR-12]`, async (t) => {
    const app = await startModule(t, { responseMode })
    const { provider } = app
    provider.metadata['token_endpoint_auth_methods_supported'] = ['client_secret_basic']
    const clientSecret = 'p@:%+ ü'
    provider.register({ client_id: 'app', origin: app.origin, client_secret: clientSecret })
    const auth = app.another({
      provider: { issuer: provider.issuer, clientId: 'app', clientSecret },
    })

    await assertAccepted(app, app.browser(auth))

    const { headers, form } = await provider.received('token')
    assert.match(headers.get('authorization') ?? '', /^Basic /)
    assert.equal(form.has('client_secret'), false)
  })
}
