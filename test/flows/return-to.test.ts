import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Application, startApplication } from '../support/application.ts'
import { arriving, ask, cookiesIn, start } from '../support/requests.ts'

const HOME = 'https://app.test/'

/** What a link may say, and where the browser ends. */
const GOOD: [string, string][] = [
  ['/', '/'],
  ['/basket', '/basket'],
  ['/basket/?item=7&x=%2F#top', '/basket/?item=7&x=%2F#top'],
  ['/a//b', '/a//b'],
  ['/search?q=https://other.example/', '/search?q=https://other.example/'],
  ['/search?q=//other.example', '/search?q=//other.example'],
  ['/@user', '/@user'],
  ['/a:b', '/a:b'],
  ['/caf\u00e9', '/caf%C3%A9'],
  ['/a/../b', '/b'],
  ['/%2F%2Fevil.example', '/%2F%2Fevil.example'],
  ['/%5Cevil.example', '/%5Cevil.example'],
  ['/%09/evil.example', '/%09/evil.example'],
  ['/%00', '/%00'],
  ['/%', '/%'],
  ['/%zz', '/%zz'],
  ['/?return_to=//evil.example', '/?return_to=//evil.example'],
  [`/${'x'.repeat(1000)}`, `/${'x'.repeat(1000)}`],
]

/** What must lead to the start page. */
const HOSTILE = [
  '',
  ' ',
  'basket',
  'evil.example',
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '//evil.example/%2f..',
  '//evil.example:443/',
  '//user@evil.example',
  '//app.test@evil.example',
  '//app.test',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\\/evil.example',
  '/a\\b',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r/evil.example',
  '/\r\n/evil.example',
  '\t//evil.example',
  ' //evil.example',
  ' /basket',
  '\u0000/basket',
  '/\u0000/evil.example',
  '/\u000b/evil.example',
  '/bas ket',
  '/basket\u007f',
  '\u00a0//evil.example',
  '\ufeff//evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/./..//evil.example',
  '/%2e//evil.example',
  '/%2e%2E//evil.example',
  '/x/..//evil.example',
  '/x/%2e%2e//evil.example',
  'https://evil.example/',
  'HTTPS://evil.example/',
  'https:evil.example',
  'https:/evil.example',
  'http:///evil.example',
  'https://app.test/basket',
  'https://app.test@evil.example/',
  'https://app.test.evil.example/',
  'https://app.test\\@evil.example/',
  '@evil.example/',
  ':@evil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'blob:https://app.test/x',
  'file:///etc/passwd',
  '%2F%2Fevil.example',
  '%2fbasket',
  '?x=1',
  '#x',
  '.',
  '..',
  '//',
  '//\u3002evil.example',
  '\uff0f\uff0fevil.example',
  `/${'x'.repeat(1024)}`,
  `/${'x'.repeat(100_000)}`,
  `/${'\u6f22'.repeat(1000)}`,
  `/?${'\u{1f600}'.repeat(500)}`,
]

describe('the way back after a sign-in', () => {
  for (const [said, path] of GOOD) {
    it(`is the path that was asked for: ${short(said)}`, async (t) => {
      const app = await start(t)
      assert.equal(await wayBack(app, said), `https://app.test${path}`)
    })
  }

  it(`is the start page for each of ${HOSTILE.length} that a browser might read as anything else [SEC-1]`, async (t) => {
    const app = await start(t)
    for (const said of HOSTILE) {
      assert.equal(await wayBack(app, said), HOME, short(said))
      // Nothing of it is left in what the browser keeps, either.
      assert.equal(app.heard('sign_in_failed').length, 0)
    }
  })

  it('is the start page where nothing is asked', async (t) => {
    const app = await start(t)
    assert.equal(await wayBack(app, undefined), HOME)
  })

  it('is on the own origin for plain http on loopback too [SEC-1]', async (t) => {
    const app = await startApplication({ origin: 'http://app.localhost:8080' })
    t.after(app.close)
    assert.equal(await wayBack(app, '/x'), 'http://app.localhost:8080/x')
    assert.equal(await wayBack(app, '//evil.example'), 'http://app.localhost:8080/')
  })

  it('is never taken from the answer of the provider [SEC-1]', async (t) => {
    const app = await start(t)
    app.provider.next('authorization_response', (response) => {
      response.set('return_to', '/elsewhere')
      response.set('redirect_uri', 'https://evil.example/')
    })
    const { path, cookie } = await arriving(app, 'return_to=/here')
    const response = await ask(app, path, { cookie })
    assert.equal(response.headers.get('location'), 'https://app.test/here')
  })

  it('fits into a cookie that browsers keep, however long its spelling gets', async (t) => {
    const app = await start(t)
    for (const said of [
      `/${'\u6f22'.repeat(900)}`,
      `/${'\u6f22'.repeat(100)}`,
      `/${'%'.repeat(1000)}`,
    ]) {
      const query = new URLSearchParams({ return_to: said })
      const response = await ask(app, `/auth/sign-in?${query}`)
      for (const line of response.headers.getSetCookie()) {
        assert.ok(Buffer.byteLength(line) < 4096, `${Buffer.byteLength(line)} bytes`)
      }
      assert.equal(cookiesIn(response).length, 1)
    }
  })
})

async function wayBack(app: Application, said: string | undefined): Promise<string | null> {
  const { path, cookie } = await arriving(app, said === undefined ? '' : { return_to: said })
  const response = await ask(app, path, { cookie })
  assert.equal(response.status, 303)
  return response.headers.get('location')
}

function short(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 30)}… (${text.length})` : text)
}
