import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startBrowser } from '#coatcheck/testing/browser'
import { freePorts } from '../servers/ports.ts'
import { deploy, KEY } from './command-line.ts'

describe('the command line, against a gateway that runs', () => {
  it('lists a user’s sessions, shows one, and signs the user out everywhere', async (t) => {
    const at = await deploy()
    t.after(at.close)
    const gateway = await at.gateway()
    const [first, second, other] = [
      await at.signedIn('U1'),
      await at.signedIn('U1'),
      await at.signedIn('U2'),
    ]

    const listed = await at.coatcheck('sessions', 'list', '--subject', 'U1', '--json')
    const sessions = JSON.parse(listed.out)
    assert.equal(sessions.length, 2, listed.err)
    const shown = await at.coatcheck('sessions', 'show', sessions[0].handle, '--json')
    assert.deepEqual(JSON.parse(shown.out), sessions[0])

    const left = await at.coatcheck('remains', '--subject', 'U1')
    assert.equal(left.code, 1)
    assert.match(left.out, /^Something is left in the store:\nsession /)

    const unsure = await at.answering(false, 'sign-out', '--subject', 'U1')
    assert.deepEqual(unsure, {
      code: 1,
      out: '',
      err: 'Sign out 2 sessions of this user?\nNobody was signed out.\n',
    })
    assert.equal((await first.get(`${at.origin}/`)).text, 'the application')

    const signedOut = await at.coatcheck('sign-out', '--subject', 'U1', '--yes')
    assert.equal(signedOut.code, 0, signedOut.err)
    assert.match(signedOut.out, /^Signed out: 2 sessions\. Gone are 2 access, 2 refresh and 2 ID/)
    assert.match(signedOut.out, /Revocations at the provider: 4 confirmed\./)
    for (const browser of [first, second]) {
      assert.notEqual((await browser.get(`${at.origin}/`, { follow: false })).status, 200)
    }
    assert.equal((await other.get(`${at.origin}/`)).text, 'the application')

    const gone = await at.coatcheck('remains', '--subject', 'U1', '--json')
    assert.equal(JSON.parse(gone.out).verdict, 'nothing_left')
    assert.equal(gone.code, 0)
    assert.equal((await at.coatcheck('sessions', 'show', sessions[0].handle)).code, 1)

    gateway.signal('SIGTERM')
    assert.equal((await gateway.ended).code, 0)
  })

  it('signs everybody out, until no session is left in the store', async (t) => {
    const at = await deploy()
    t.after(at.close)
    const gateway = await at.gateway()
    const browsers = [await at.signedIn('U1'), await at.signedIn('U2'), await at.signedIn('U3')]
    const all = await at.answering(true, 'sign-out', '--all', '--json')
    assert.equal(all.err, 'Sign out every user, everywhere?\n')
    const { removed, left } = JSON.parse(all.out)
    assert.deepEqual({ removed, left, code: all.code }, { removed: 3, left: 0, code: 0 })
    for (const browser of browsers) {
      assert.notEqual((await browser.get(`${at.origin}/`, { follow: false })).status, 200)
    }
    assert.deepEqual(at.provider.liveRefreshTokens(), [])
    gateway.signal('SIGTERM')
    assert.equal((await gateway.ended).code, 0)
  })

  it('signs everybody out, also who is in the middle of a sign-in, who may begin again', async (t) => {
    const at = await deploy()
    t.after(at.close)
    const gateway = await at.gateway()
    await at.signedIn('U1')
    at.provider.user = { sub: 'U2' }
    const browser = startBrowser()
    const hold = at.provider.hold('token')
    const page = browser.get(`${at.origin}/`)
    await hold.received()
    const all = await at.coatcheck('sign-out', '--all', '--yes')
    assert.equal(all.code, 0, all.err)
    assert.match(all.out, /Signed out: 1 sessions\. Left in the store: 0\./)
    assert.match(all.out, /Sign-ins that were under way have to begin again/)

    hold.release()
    assert.equal((await page).status, 400)
    assert.notEqual((await browser.get(`${at.origin}/`, { follow: false })).status, 200)
    const remains = await at.coatcheck('remains', '--subject', 'U2', '--json')
    assert.deepEqual(
      JSON.parse(remains.out).found.filter(({ kind }: { kind: string }) => kind === 'session'),
      [],
    )
    assert.equal((await (await at.signedIn('U2')).get(`${at.origin}/`)).text, 'the application')
    gateway.signal('SIGTERM')
    assert.equal((await gateway.ended).code, 0)
  })

  it('signs out what was owed to the provider while that was down, and says what is owed', async (t) => {
    const at = await deploy()
    t.after(at.close)
    const gateway = await at.gateway()
    await at.signedIn('U1')
    await at.provider.stop()
    const signedOut = await at.coatcheck('sign-out', '--subject', 'U1', '--yes')
    assert.equal(signedOut.code, 0, signedOut.err)
    assert.match(signedOut.out, /0 confirmed, 2 owed: the gateway goes on/)
    await at.provider.start()
    gateway.signal('SIGTERM')
    await gateway.ended
  })

  it('takes another configuration while it runs, and keeps the one it has where that has a mistake', async (t) => {
    const at = await deploy()
    t.after(at.close)
    const gateway = await at.gateway()
    const browser = await at.signedIn('U1')

    const [operations = 0] = await freePorts(1)
    at.configure('session: { idle: 60 }')
    gateway.signal('SIGHUP')
    await gateway.logged('configuration_refused')
    assert.match(gateway.log(), /did you mean idleSeconds\?/)
    assert.equal((await browser.get(`${at.origin}/`)).text, 'the application')

    const underWay = browser.get(`${at.origin}/slow`)
    await at.slow.arrived
    for (const times of [1, 2]) {
      at.configure(`operations: ${operations}\nsession: { idleSeconds: ${60 * times} }`)
      gateway.signal('SIGHUP')
      await gateway.logged('configuration_reloaded', times)
      assert.equal((await fetch(`http://127.0.0.1:${operations}/healthz`)).status, 200)
    }
    // Nobody can tell before the old one has let go of the port.
    at.configure('')
    at.replace(/^listen: (\d+)$/m, 'listen: { host: 192.0.2.1, port: $1 }')
    gateway.signal('SIGHUP')
    await gateway.logged('gateway_not_started')
    await gateway.logged('listening', 4)

    at.slow.release()
    assert.equal((await underWay).text, 'the application')
    assert.equal((await browser.get(`${at.origin}/`)).text, 'the application')
    at.configure('session: { idleSeconds: 120 }')
    const { out } = await at.coatcheck('sessions', 'list', '--subject', 'U1', '--json')
    const [{ expiresAt }] = JSON.parse(out)
    assert.ok(expiresAt < Date.now() + 121_000)
    gateway.signal('SIGTERM')
    assert.equal((await gateway.ended).code, 0)
    // Only the end of the process reads as one.
    const messages = gateway
      .log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).message)
    assert.deepEqual(
      [messages.indexOf('stopped'), messages.at(-1)],
      [messages.length - 1, 'stopped'],
    )
    assert.equal(messages.filter((one) => one === 'former_gateway_done').length, 3)
  })
})

describe('a command that cannot work says what to do, in a sentence', () => {
  it('where the configuration has mistakes: exit code 2, nothing opened, no secret shown', async (t) => {
    const at = await deploy()
    t.after(at.close)
    at.configure('sesion: {}')
    for (const args of [['gateway'], ['check'], ['remains', '--subject', 'U1']]) {
      const { code, out, err } = await at.coatcheck(...args)
      assert.equal(code, 2)
      assert.match(
        err,
        /sesion \(coatcheck\.yaml:7\): there is no such setting: did you mean session\?/,
      )
      assert.equal(out, '')
      assert.doesNotMatch(err, new RegExp(`${KEY}|nobody-may-log|\\n\\s+at `))
    }
    assert.equal(existsSync(join(at.folder, 'sessions')), false)
  })

  it('where it is not told whom, where nobody can be asked, and where no gateway has run', async (t) => {
    const at = await deploy()
    t.after(at.close)
    const table: [string[], number, RegExp][] = [
      [['sign-out', '--yes'], 2, /Name one: --subject, --sid or --session/],
      [['sign-out', '--all', '--subject', 'U1', '--yes'], 2, /--all is everybody/],
      [['sign-out', '--subject', 'U1', '--sid', 'S1', '--yes'], 2, /Name one/],
      [['sign-out', '--subject', 'U1'], 2, /write --yes/],
      [['sessions', 'list'], 2, /--subject/],
      [['sessions', 'show', 'a-cookie=with-a-ticket'], 2, /handle: 43 characters/],
      [['sessions', 'list', '--subject', 'U1'], 2, /no gateway has run/],
      [['singout'], 2, /Did you mean sign-out\?/],
      [['check', '--config', 'gone.yaml'], 2, /gone\.yaml: there is no such file/],
      [[], 2, /Usage: coatcheck/],
    ]
    for (const [args, code, words] of table) {
      const ended = await at.run(...args)
      assert.equal(ended.code, code, `${args.join(' ')}: ${ended.err}`)
      assert.match(ended.err, words)
      assert.doesNotMatch(ended.err, /\n\s+at /)
    }
  })

  it('where the store is the memory of another process', async (t) => {
    const at = await deploy('memory')
    t.after(at.close)
    const { code, err } = await at.run('sessions', 'list', '--subject', 'U1')
    assert.equal(code, 2)
    assert.match(err, /write a folder, redis:\/\/… or postgres:\/\//)
  })

  it('where the store is away: exit code 1, without the password of its address', async (t) => {
    for (const store of ['redis://:hidden@127.0.0.1:9', 'postgres://me:hidden@127.0.0.1:9/db']) {
      const at = await deploy(store)
      t.after(at.close)
      for (const command of ['sessions list', 'remains', 'sign-out --yes']) {
        const { code, out, err } = await at.run(...command.split(' '), '--subject', 'U1')
        assert.equal(code, 1, out)
        assert.match(err, /store_unavailable/)
        assert.doesNotMatch(err, /hidden|\n\s+at /)
      }
    }
  })

  it('where another process has its port', async (t) => {
    const at = await deploy()
    t.after(at.close)
    const gateway = await at.gateway()
    const { code, err } = await at.coatcheck('gateway')
    assert.equal(code, 1)
    assert.match(err, /EADDRINUSE.*stop that one, or write another/)
    gateway.signal('SIGTERM')
    await gateway.ended
  })
})
