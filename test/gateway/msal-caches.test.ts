import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Redis } from 'ioredis'
import { run } from '#gateway/command/run'
import { ada, bob, claimsOf, dotnetCache } from '../msal/entries.ts'
import { startRedis } from '../servers/redis.ts'
import { configured } from './configured.ts'

it('A sign-out removes from every cache of Microsoft’s libraries what the user has there, and nothing of others', async (t) => {
  const [orders, mail] = [await startRedis(), await startRedis()]
  await mail.ask('CONFIG', 'SET', 'requirepass', 'a password')
  const inMail = new Redis(mail.url, { password: 'a password' })
  t.after(() => inMail.disconnect())
  t.after(orders.close)
  t.after(mail.close)
  for (const user of [ada, bob]) {
    await orders.ask('HSET', `Orders_${user.name}`, 'data', dotnetCache(user))
    await inMail.set(`mail:${user.id}`, dotnetCache(user))
  }
  await orders.ask('SET', 'Elsewhere_ada', dotnetCache(ada))

  const lines = `msal:
  - { name: orders, url: "${orders.url}", keys: [Orders_*] }
  - { name: mail, url: "${mail.url}", keys: ["mail:{account}"] }`
  const environment = {
    COATCHECK_STORE: orders.url,
    COATCHECK_MSAL__1__PASSWORD: 'a password',
    // Who the user is to Microsoft only UserInfo tells here.
    COATCHECK_PROVIDER__USER_INFO: 'true',
  }
  const at = await configured(t, lines, environment)
  const places = (removed: number) => [
    { name: 'msal-orders', outcome: 'done', removed },
    { name: 'msal-mail', outcome: 'done', removed },
  ]
  const browser = await at.signedIn('U1', claimsOf(ada))
  await browser.post(`${at.origin}/auth/sign-out`)
  assert.deepEqual(at.receipts()[0]?.places, places(1))
  assert.deepEqual(await orders.ask('KEYS', 'Orders*'), ['Orders_bob'])
  assert.deepEqual(await inMail.keys('*'), [`mail:${bob.id}`])

  // One by the command line reaches as far.
  await at.signedIn('U2', claimsOf(bob))
  const said: string[] = []
  const terminal = {
    isAttended: false,
    print: (text: string) => void said.push(text),
    complain: (text: string) => void said.push(text),
    confirm: async () => false,
  }
  const command = ['sign-out', '--subject', 'U2', '--yes', '--json', '--config', at.file]
  assert.equal(await run(command, terminal, environment), 0, said.join('\n'))
  assert.deepEqual(JSON.parse(said.join('')).receipt.places, places(1))
  assert.deepEqual(await orders.ask('KEYS', 'Orders*'), [])
  assert.deepEqual(await inMail.keys('*'), [])
  assert.equal(await orders.ask('GET', 'Elsewhere_ada'), dotnetCache(ada))
})
