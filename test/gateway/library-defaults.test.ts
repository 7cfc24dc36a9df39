import assert from 'node:assert/strict'
import { it } from 'node:test'
import { configure } from '#coatcheck/configuration'
import { systemEnvironment } from '#coatcheck/core/environment'
import { claimRules } from '#coatcheck/core/provider/claims'
import { memoryStore } from '#coatcheck/stores/memory'
import { LIBRARY_DEFAULTS } from '#gateway/library-defaults'

it('says of the library’s defaults what the library does', () => {
  const provider = { issuer: 'https://op.example', clientId: 'app', clientSecret: 'secret' }
  const { lifetime, routes } = configure({
    origin: 'https://app.example',
    provider,
    store: memoryStore(),
    keys: ['a key for tests of thirty-two bytes at least'],
  })
  assert.equal(lifetime, LIBRARY_DEFAULTS.lifetimeSeconds * 1000)
  for (const path of Object.values(routes)) {
    assert.ok(path.startsWith(`${LIBRARY_DEFAULTS.path}/`), path)
  }
  const { clockSkewSeconds } = claimRules(provider, systemEnvironment)
  assert.equal(clockSkewSeconds, LIBRARY_DEFAULTS.clockSkewSeconds)
})
