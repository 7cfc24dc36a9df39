import assert from 'node:assert/strict'
import { it } from 'node:test'
import { filesUnder } from '../../scripts/files.ts'
import { packagesOf, providePrograms } from '../../scripts/programs.ts'

it('a test file needs the programs of the modules it names, and of those they name', () => {
  assert.deepEqual(packagesOf('test/servers/tcp-proxy.test.ts'), [])
  assert.deepEqual(packagesOf('test/servers/cluster.ts'), ['redis-server'])
  assert.deepEqual(packagesOf('test/servers/pgbouncer.ts').sort(), ['pgbouncer', 'postgresql'])
  assert.deepEqual(packagesOf('test/servers/python.ts').sort(), [
    'python3-cryptography',
    'python3-flask',
    'python3-jwt',
  ])
  for (const file of filesUnder('test/browser').filter((one) => one.endsWith('.test.ts'))) {
    assert.deepEqual(packagesOf(file), ['chromium'], file)
  }
})

it('a test file that needs no program can always run', () => {
  const files = ['test/servers/tcp-proxy.test.ts']
  assert.deepEqual(providePrograms(files), { ready: files, notRun: [] })
})

it('a test file that needs .NET is not run where there is none, which Debian cannot mend', (t) => {
  const files = ['test/servers/dotnet.ts', 'test/servers/tcp-proxy.ts']
  const { PATH, DOTNET_ROOT } = process.env
  t.after(() => Object.assign(process.env, { PATH }, DOTNET_ROOT && { DOTNET_ROOT }))
  process.env['PATH'] = ''
  delete process.env['DOTNET_ROOT']
  const { ready, notRun, problem } = providePrograms(files)
  assert.deepEqual({ ready, notRun }, { ready: [files[1]], notRun: [files[0]] })
  assert.match(problem ?? '', /Debian does not have dotnet-sdk-10\.0/)
})
