// The provider of a benchmark, in a process of its own: it must not take time from what is measured.
import { startProvider } from '#coatcheck/testing/provider'

// Longer than any run: no token is renewed while we measure.
const provider = await startProvider({
  settings: { accessTokenSeconds: 36_000 },
  user: { sub: 'user-1', claims: { name: 'Some User', email: 'user@example.test' } },
})
const [client] = provider.clients.values()

process.on('message', async (session: { readonly sub: string; readonly sid?: string }) => {
  process.send?.(await provider.logoutToken({ session: { sid: undefined, ...session } }))
})
process.on('disconnect', () => provider.close())
process.send?.({
  issuer: provider.issuer,
  clientId: client?.client_id,
  clientSecret: client?.client_secret,
})
