import { after, describe, it } from 'node:test'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { testTokenStore } from '#coatcheck/testing/token-store'
import { openEnvironment } from './environment.ts'

describe('lmdbStore', () => {
  const environment = openEnvironment()
  after(() => environment.close())
  testTokenStore(it, (options) => lmdbStore(environment.database, options))
})
