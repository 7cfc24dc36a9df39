// What an application does with the installed package; the smoke test runs a copy of it beside the package.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createAuth } from 'coatcheck'
import { lmdbOptions, lmdbStore } from 'coatcheck/stores/lmdb'
import { memoryStore } from 'coatcheck/stores/memory'
import { startBrowser, startProvider } from 'coatcheck/testing'
import { open } from 'lmdb'

const manifest = createRequire(import.meta.url).resolve('coatcheck/package.json')
const subpaths = Object.keys(JSON.parse(readFileSync(manifest, 'utf8')).exports)
for (const subpath of subpaths.filter((name) => !name.endsWith('.json'))) {
  const module = await import(subpath.replace('.', 'coatcheck'))
  assert.notEqual(Object.keys(module).length, 0, `${subpath} exports nothing`)
}

const database = open({ path: process.argv[2] ?? '', ...lmdbOptions })
for (const store of [memoryStore(), lmdbStore(database)]) await signInAndOut(store)
await database.close()
console.log(JSON.stringify({ node: process.version, subpaths }))

/** @param {import('coatcheck').TokenStore} store */
async function signInAndOut(store) {
  const origin = 'https://app.test'
  const provider = await startProvider()
  const client = provider.register({ client_id: 'app', origin })
  const auth = createAuth({
    origin,
    provider: {
      issuer: provider.issuer,
      clientId: 'app',
      clientSecret: client.client_secret ?? '',
    },
    store,
    keys: ['a key for tests of thirty-two bytes at least'],
  })
  const browser = startBrowser({
    origins: {
      [origin]: (request) =>
        auth.owns(new URL(request.url).pathname) ? auth.handle(request) : new Response('home'),
    },
  })
  await browser.get(`${origin}/auth/sign-in`)
  const request = { headers: { cookie: browser.cookieHeader(origin) } }
  const { value } = await auth.accessToken(request)
  assert.ok(provider.introspect(value))

  const url = `${origin}/auth/backchannel-logout`
  const body = new URLSearchParams({ logout_token: await provider.logoutToken() })
  const answer = await auth.handle(new Request(url, { method: 'POST', body }))
  assert.equal(answer.status, 200)
  await assert.rejects(auth.accessToken(request), { code: 'sign_in_required' })

  await auth.close()
  await store.close()
  await provider.close()
}
