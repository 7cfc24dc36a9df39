import assert from 'node:assert/strict'
import { it } from 'node:test'
import { filesUnder } from '../../scripts/files.ts'
import { packagesOf, providePrograms } from '../../scripts/programs.ts'

it('a test file needs the programs of the modules it names, and of those they name', () => {
  assert.deepEqual(packagesOf('test/servers/tcp-proxy.test.ts'), [])
  assert.deepEqual(packagesOf('test/servers/cluster.ts'), ['redis-server'])
  assert.deepEqual(packagesOf('test/servers/pgbouncer.ts').sort(), ['pgbouncer', 'postgresql'])
  for (const file of filesUnder('test/browser').filter((one) => one.endsWith('.test.ts'))) {
    assert.deepEqual(packagesOf(file), ['chromium'], file)
  }
})

it('a test file that needs no program can always run', () => {
  const files = ['test/servers/tcp-proxy.test.ts']
  assert.deepEqual(providePrograms(files), { ready: files, notRun: [] })
})
