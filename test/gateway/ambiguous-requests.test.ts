import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askRaw } from './guard-ask.ts'
import { start, statusesOf, UPGRADE, urlsOf } from './refused.ts'
import { deploy, upstream } from './under-test.ts'

test('A path that another server could read as one of another application reaches neither', async (t) => {
  const [open, closed] = [await upstream(t), await upstream(t)]
  const { origin } = await deploy(t, {
    applications: [
      { name: 'admin', upstream: closed.url, path: '/admin', access: 'public' },
      { name: 'open', upstream: open.url, access: 'public' },
    ],
  })
  for (const path of OTHER_READINGS) {
    await t.test(path, async () => {
      const head = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`
      assert.deepEqual(statusesOf(await askRaw(origin, head)), [400])
      const socket = `GET ${path} HTTP/1.1\r\n${UPGRADE}\r\n`
      assert.deepEqual(statusesOf(await askRaw(origin, socket)), [400])
      assert.deepEqual([...urlsOf(open), ...urlsOf(closed)], [])
    })
  }
})

const OTHER_READINGS = [
  '/x/../admin',
  '/x/..',
  '/../admin',
  '/./admin',
  '//admin',
  '/x/%2e%2e/admin',
  '/x/%2E%2e%2Fadmin',
  '/x/.%2e/admin',
  '/x/..%2fadmin',
  '/x/..%5cadmin',
  '/x%5c..%5cadmin',
  '/x\\..\\admin',
  '\\admin',
  '/\\admin',
  '/\\evil.example/x',
  '/x/..;/admin',
  '/;x/admin',
  '/admin;x',
  '/admin#x',
  '/admin#/x',
  '/admin%23x',
  '/admin%3fx',
  '/x#/../admin',
  '/%2fadmin',
  '/admin%2fx',
  '/%61dmin',
  '/%2561dmin',
  '/%252e%252e/admin',
  '/%u0061dmin',
  '/%c0%ae%c0%ae/admin',
  '/Admin',
  '/adm%C4%B1n',
  '/ADM%C4%B0N',
  '/admin%20',
  '/admin%00',
  '/x%00/../admin',
  '/x%0d%0aX-Forwarded-User:%20mallory',
  '/x%',
  '/..x',
  '/x../y',
  '/adm\0in',
  '/adm\tin',
  '/adm\u0131n',
]

test('A host in the address of a request decides nothing: neither whom it reaches nor by whose rules', async (t) => {
  const [open, closed] = [await upstream(t), await upstream(t)]
  const { origin } = await deploy(t, {
    applications: [
      { name: 'admin', upstream: closed.url, host: 'admin.example', access: 'signed_in' },
      { name: 'closed', upstream: closed.url, path: '/admin', access: 'signed_in' },
      { name: 'open', upstream: open.url, access: 'public' },
    ],
  })
  const get = async (target: string, host: string): Promise<number[]> =>
    statusesOf(
      await askRaw(origin, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    )
  for (const target of [
    'http://evil.example/x',
    'HTTPS://user@evil.example:1/x',
    `${closed.url}/x`,
  ]) {
    assert.deepEqual(await get(target, 'x'), [200])
    assert.deepEqual(urlsOf(open), ['/x'])
  }
  for (const target of ['//evil.example/x', '///evil.example', `//${new URL(closed.url).host}/x`]) {
    assert.deepEqual(await get(target, 'x'), [200])
    assert.deepEqual(urlsOf(open), [target])
  }
  for (const [target, host] of [
    ['http://open.example/admin', 'x'],
    ['http://open.example/admin/', 'x'],
    ['http://open.example/', 'admin.example'],
    ['//open.example/', 'admin.example'],
    ['/', 'ADMIN.example:443'],
  ] as const) {
    assert.deepEqual(await get(target, host), [401])
  }
  for (const target of ['evil.example/admin', 'evil.example:443', '?/admin', '#/admin', 'admin']) {
    assert.deepEqual(await get(target, 'x'), [400])
  }
  assert.deepEqual(urlsOf(closed), [])
})

test('A tunnel to anywhere is not to be had, nor an echo of the cookies', async (t) => {
  const { app, origin } = await start(t)
  for (const [start, ...expected] of [
    ['CONNECT evil.example:443'],
    ['CONNECT /'],
    ['TRACE /', 405],
    ['TRACK /', 400],
  ] as const) {
    const text = await askRaw(origin, `${start} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    assert.deepEqual(statusesOf(text), expected, start)
  }
  assert.deepEqual(urlsOf(app), [])
})

test('A request without a host, with two, or for a protocol that is none is refused', async (t) => {
  const { app, origin } = await start(t)
  for (const head of [
    'GET / HTTP/1.1\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n',
    'GET / HTTP/1.1\r\nHost: x\r\nhost: x\r\n',
    'GET / HTTP/1.2\r\nHost: x\r\n',
    'GET / HTTP/1.1 \r\nHost: x\r\n',
    'GET / HTTP/1.1\nHost: x\n',
    'get / HTTP/1.1\r\nHost: x\r\n',
    'PRI * HTTP/2.0\r\n',
    'GET / HTTP/1.1\r\nHost: a b\r\n',
    'GET / HTTP/1.1\r\nHost: a,b\r\n',
    'GET / HTTP/1.1\r\nHost: a/b\r\n',
    'GET / HTTP/1.1\r\nHost: user@a\r\n',
    'GET / HTTP/1.1\r\nHost: a:b\r\n',
    'GET / HTTP/1.1\r\nHost: [::1\r\n',
    'GET / HTTP/1.0\r\nHost: a b\r\n',
    'GET /auth/session HTTP/1.1\r\nHost: a b\r\n',
  ]) {
    await t.test(JSON.stringify(head), async () => {
      const text = await askRaw(origin, `${head}Connection: close\r\n\r\n`)
      assert.deepEqual(statusesOf(text), [400])
      assert.deepEqual(urlsOf(app), [])
    })
  }
})

test('Whatever HTTP allows for a host is one', async (t) => {
  const { app, origin } = await start(t)
  for (const host of [
    'x',
    'X.example:8080',
    'x_y.example.',
    '[::1]',
    '[fe80::1%25eth0]:80',
    '127.0.0.1',
    '',
  ]) {
    const text = await askRaw(
      origin,
      `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    )
    assert.deepEqual(statusesOf(text), [200], host)
    assert.deepEqual(urlsOf(app), ['/'])
  }
})

test('A request of a version of HTTP that had no headers gets 505', async (t) => {
  const { app, origin } = await start(t)
  for (const head of ['GET / HTTP/0.9\r\nHost: x\r\n', 'GET /\r\n']) {
    assert.deepEqual(statusesOf(await askRaw(origin, `${head}\r\n`)), [505])
  }
  assert.deepEqual(urlsOf(app), [])
})
