import { type Auth, createAuth, type TokenStore } from '#coatcheck'
import { memoryStore } from '#coatcheck/stores/memory'
import { KEY } from '../support/application.ts'

/*
 * A process with nothing else to live for: no server, no connection. Signs somebody out while its
 * store is away, closes, and says what came of it.
 */

const inner = memoryStore()
let away = 3
let done = false
const store: TokenStore = {
  ...inner,
  async removeAll(marks, removal) {
    away -= 1
    if (away >= 0) throw new Error('Away.')
    const step = await inner.removeAll(marks, removal)
    done = true
    return step
  },
}
const auth: Auth = createAuth({
  origin: 'https://app.test',
  keys: [KEY],
  store,
  provider: { issuer: 'https://provider.test', clientId: 'app', clientSecret: 'secret' },
})
const failed = await auth.signOut({ subject: 'U1' }).then(
  () => undefined,
  (error: { code?: string }) => error.code,
)
await auth.close()
console.log(JSON.stringify({ failed, done }))
