import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { createProvider } from '#coatcheck/core/provider/provider'
import { startClock } from './small-provider.ts'

/** A throw-away pair, made for this test and signed by nobody. */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkdXp2rEONlFaz50Z
GMacHaNNUsLDDTt1yC0wSZkZtdChRANCAASeHbVIVqDWWdxJdRBQE/bl+3dMJItO
cXsa8puZe64Xy2rfpv2EVDBKYdikLhpkgDv5SN84JU/jIp4z8nrCeIXV
-----END PRIVATE KEY-----
`
const cert = `-----BEGIN CERTIFICATE-----
MIIBkDCCATagAwIBAgIUfk0tPzwNUfNqlPMsycO52yLt+zYwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJMTI3LjAuMC4xMCAXDTI2MTEyMjA4NTkwMloYDzIxMjYxMDI5
MDg1OTAyWjAUMRIwEAYDVQQDDAkxMjcuMC4wLjEwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASeHbVIVqDWWdxJdRBQE/bl+3dMJItOcXsa8puZe64Xy2rfpv2EVDBK
YdikLhpkgDv5SN84JU/jIp4z8nrCeIXVo2QwYjAdBgNVHQ4EFgQUn3fhi1/14eUG
xxx+jP7HNpVYSDswHwYDVR0jBBgwFoAUn3fhi1/14eUGxxx+jP7HNpVYSDswDwYD
VR0TAQH/BAUwAwEB/zAPBgNVHREECDAGhwR/AAABMAoGCCqGSM49BAMCA0gAMEUC
IFb7qfOs8n//r6bB1O+EPXzieFmHwQ9f+wClBeuRG6CsAiEA0ztdpAmki1nYWwLL
tjo0dusp3gIMRaWtfdYka4eitbM=
-----END CERTIFICATE-----
`

describe('a provider over https', () => {
  it('is not believed when nobody vouches for its certificate [DIS-4] [COR-11]', async () => {
    let requests = 0
    const server = createServer({ key, cert }, (_, response) => {
      requests++
      response.end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const issuer = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    const options = { issuer, clientId: 'C1', clientSecret: 's' }
    try {
      await assert.rejects(createProvider(options, startClock().environment).metadata(), {
        code: 'provider_unreachable',
        message: /CERT/,
      })
      assert.equal(requests, 0)
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })
})
