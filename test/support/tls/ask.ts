// Run by tls.test.ts in a process of its own, since only a fresh one reads NODE_EXTRA_CA_CERTS:
// asks a provider for its metadata with the real `fetch` and prints how that went.
import { systemEnvironment } from '#coatcheck/core/environment'
import { createProvider } from '#coatcheck/core/provider/provider'
import { AuthError } from '#coatcheck/errors'

const issuer = process.argv[2] ?? ''
const options = { issuer, clientId: 'app', clientSecret: 'a secret' }
try {
  await createProvider(options, systemEnvironment).metadata()
  console.log('reached')
} catch (error) {
  if (!(error instanceof AuthError)) throw error
  console.log(`${error.code} ${error.message}`)
}
