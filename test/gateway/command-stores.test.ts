import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { startPostgres } from '../servers/postgres.ts'
import { startRedis } from '../servers/redis.ts'
import { deploy } from './command-line.ts'

/** The server is named in the configuration by one line. */
const servers: Record<string, (t: TestContext) => Promise<string>> = {
  async redis(t) {
    const server = await startRedis()
    t.after(server.close)
    return server.url
  },
  async postgres(t) {
    const server = await startPostgres()
    t.after(server.close)
    return server.url
  },
}

describe('the same commands, with the store in a server', () => {
  for (const [name, start] of Object.entries(servers)) {
    it(`${name}: who is signed in through the gateway is found, signed out and gone`, async (t) => {
      const at = await deploy(await start(t))
      t.after(at.close)
      if (name === 'postgres') {
        const before = await at.run('sessions', 'list', '--subject', 'U1')
        assert.equal(before.code, 1)
        assert.match(
          before.err,
          /not in the schema .*: run `coatcheck migrate` once.*store_unusable/,
        )
      }
      assert.equal((await at.run('migrate')).code, 0)

      const gateway = await at.gateway()
      const browser = await at.signedIn('U1')
      await at.signedIn('U2')
      const { out } = await at.run('sessions', 'list', '--subject', 'U1', '--json')
      const [{ handle }] = JSON.parse(out)
      assert.equal((await at.run('sign-out', '--session', handle, '--yes')).code, 0)
      assert.notEqual((await browser.get(`${at.origin}/`, { follow: false })).status, 200)
      assert.equal((await at.run('remains', '--session', handle)).code, 0)

      const all = await at.run('sign-out', '--all', '--yes', '--json')
      assert.equal(JSON.parse(all.out).removed, 1, all.out + all.err)
      const gone = await at.run('remains', '--subject', 'U2', '--json')
      assert.equal(JSON.parse(gone.out).verdict, 'nothing_left', gone.out)
      const diagnosis = await at.run('doctor')
      assert.match(diagnosis.out, new RegExp(`fine +store: +The store in ${name} answers`))
      gateway.signal('SIGTERM')
      assert.equal((await gateway.ended).code, 0)
    })
  }
})
