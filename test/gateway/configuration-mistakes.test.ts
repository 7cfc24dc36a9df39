import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { file, mistakesIn, TOLD, testMistakes, two } from './mistaken.ts'

testMistakes('any other setting', [
  [
    'a header that is none',
    file('headers: { user: "X User" }'),
    'headers.user',
    8,
    /X-Forwarded-User/,
  ],
  [
    'a header twice',
    file('headers: { email: x-forwarded-user }'),
    'headers.email',
    8,
    /headers\.user has this name too/,
  ],
  [
    'a header of HTTP',
    file('headers: { user: Authorization }'),
    'headers.user',
    8,
    /write another/,
  ],
  [
    'a header that servers which fold names take for another',
    file('headers: { user: X-A, email: x_a }'),
    'headers.email',
    8,
    /headers\.user .*letters and digits.*write another/,
  ],
  ...[
    'Origin',
    'Accept',
    'accept_language',
    'Sec-Fetch-Site',
    'Sec-Fetch-User',
    'X-Requested-With',
    'Host',
    'Cookie',
    'COOKIE_',
    'Keep-Alive',
    'Proxy-Authorization',
    'Trailer',
    'Expect',
    'Transfer_Encoding',
    'Content-Type',
    'X-Real-IP',
    'X-Forwarded-Prefix',
  ].map((name): [string, string, string, number, RegExp] => [
    `a header that means something else: ${name}`,
    file(`headers: { identity: ${name} }`),
    'headers.identity',
    8,
    /something else.*write another/,
  ]),
  [
    'a limit that is a text',
    file('limits: { requestBytes: 10MB }'),
    'limits.requestBytes',
    8,
    /a text: write a whole number of bytes/,
  ],
  [
    'an idle time of nothing',
    file('session: { idleSeconds: 0 }'),
    'session.idleSeconds',
    8,
    /above 0/,
  ],
  [
    'an idle time beyond the session',
    file('session: { idleSeconds: 90000 }'),
    'session.idleSeconds',
    8,
    /lifetimeSeconds/,
  ],
  ['a level nobody knows', file('log: warning'), 'log', 8, /warn/],
  [
    'a setting in the wrong place',
    file('trustedProxies: []'),
    'trustedProxies',
    8,
    /belongs to listen/,
  ],
  ['a setting nobody knows', file('colour: blue'), 'colour', 8, /write one of origin, provider/],
  ['a setting twice', file('scope: openid\nscope: openid'), '', 9, /leave one of the two/],
  ['a tab', file('session:\n\tidleSeconds: 5'), '', 9, /by spaces, not by tabs/],
  ['a secret with an asterisk', file('scope: *hidden'), '', undefined, /into quotes/],
  ['a list instead of settings', '- origin', 'configuration', undefined, /a list: write settings/],
])

describe('several mistakes in the configuration', () => {
  it('says all at once, those of the environment too', () => {
    const mistakes = mistakesIn(file('log: loud\nlisten: nowhere\ncolour: blue', 'origin'), {
      COATCHECK_PROVIDER__CLIENT_SECRETS: 'hidden',
      COATCHECK_SESSION__IDLE_SECONDS: 'an hour',
    })
    assert.deepEqual(mistakes.map(({ key }) => key).sort(), [
      'COATCHECK_PROVIDER__CLIENT_SECRETS',
      'colour',
      'listen',
      'log',
      'origin',
      'session.idleSeconds',
    ])
  })

  it('names the environment variable that is wrong, and the one that was meant', () => {
    const [unknown] = mistakesIn(file(''), { COATCHECK_PROVIDER__CLIENT_SECRETS: 'hidden' })
    assert.match(String(unknown?.message), /did you mean COATCHECK_PROVIDER__CLIENT_SECRET\?/)
    const [wrong] = mistakesIn(file(''), { COATCHECK_LISTEN__PORT: 'http' })
    assert.deepEqual([wrong?.key, wrong?.where], ['listen.port', 'COATCHECK_LISTEN__PORT'])
  })
})

describe('what goes well together is no mistake', () => {
  for (const [title, text] of [
    [
      'names that only receipts would take for one, of applications that are not told',
      two(`name: orders.v1, path: /a, ${TOLD}`, 'name: orders_v1, path: /b'),
    ],
    [
      'a long name nobody is told by',
      two('name: a, path: /a', `name: ${'x'.repeat(300)}, path: /b`),
    ],
    [
      'a name as long as may be',
      two('name: a, path: /a', `name: ${'x'.repeat(52)}, path: /b, ${TOLD}`),
    ],
    ['paths that begin alike', two('name: a, path: /admin', 'name: b, path: /Admins')],
    ['a narrower path first', two('name: a, path: /Admin/x', 'name: b, path: /admin')],
    ['a port at two addresses', file('operations: 127.0.0.1:9000\nlisten: 10.0.0.1:9000')],
    ['any free port, twice', file('operations: 0\nlisten: 0')],
    ['other names', file('headers: { user: Remote-User, groups: Remote-Groups, email: Mail }')],
  ] as const) {
    it(title, () => assert.deepEqual(mistakesIn(text), []))
  }
})
