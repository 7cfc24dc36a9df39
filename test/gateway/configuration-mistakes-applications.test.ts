import { file, TOLD, testMistakes, two } from './mistaken.ts'

testMistakes('the applications', [
  [
    'no application',
    file('', 'upstream'),
    'upstream',
    undefined,
    /missing: write where your application listens/,
  ],
  [
    'an upstream with a path',
    file('upstream: http://127.0.0.1:5000/app', 'upstream'),
    'upstream',
    7,
    /scheme and host only/,
  ],
  [
    'an upstream that is the gateway',
    file('upstream: https://apps.example', 'upstream'),
    'upstream',
    7,
    /every request again/,
  ],
  [
    'an upstream and a list of applications',
    file('applications: [{ name: a, upstream: "http://127.0.0.1:1" }]'),
    'upstream',
    7,
    /put this one among them/,
  ],
  [
    'an application without upstream',
    file('applications:\n  - name: wiki', 'upstream'),
    'applications[0].upstream',
    8,
    /missing: write where the application listens/,
  ],
  [
    'an unknown access',
    file(
      'applications:\n  - name: wiki\n    upstream: http://127.0.0.1:1\n    access: signedin',
      'upstream',
    ),
    'applications[0].access',
    10,
    /did you mean signed_in\?/,
  ],
  [
    'two applications of one name',
    file(
      'applications:\n  - { name: a, path: /a, upstream: "http://127.0.0.1:1" }\n  - { name: a, path: /b, upstream: "http://127.0.0.1:2" }',
      'upstream',
    ),
    'applications[1].name',
    9,
    /write another/,
  ],
  [
    'two applications whose sign-outs receipts cannot tell apart',
    two(`name: orders.v1, path: /a, ${TOLD}`, `name: orders_v1, path: /b, ${TOLD}`),
    'applications[1].name',
    9,
    /applications\[0\] .*write one that differs in its letters or digits/,
  ],
  [
    'the same by their capital letters',
    two(`name: A, path: /a, ${TOLD}`, `name: a, path: /b, ${TOLD}`),
    'applications[1].name',
    9,
    /differs in its letters or digits/,
  ],
  [
    'a name that is too long for receipts',
    two('name: a, path: /a', `name: ${'x'.repeat(53)}, path: /b, ${TOLD}`),
    'applications[1].name',
    9,
    /52 characters/,
  ],
  [
    'a path that differs from another by capital letters',
    two('name: a, path: /admin', 'name: b, path: /Admin'),
    'applications[1].path',
    9,
    /applications\[0\].*400.*write another/,
  ],
  [
    'a path below one that differs by capital letters',
    two('name: a, path: /Admin/', 'name: b, path: /admin/x'),
    'applications[1].path',
    9,
    /applications\[0\].*400.*write another/,
  ],
  [
    'an application behind one that takes everything',
    file(
      'applications:\n  - { name: a, upstream: "http://127.0.0.1:1" }\n  - { name: b, path: /b, upstream: "http://127.0.0.1:2" }',
      'upstream',
    ),
    'applications[1]',
    9,
    /put the narrower one first/,
  ],
  [
    'an application in the place of the gateway',
    file(
      'applications:\n  - { name: a, path: /auth/x, upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].path',
    8,
    /the gateway’s own: write another/,
  ],
  [
    'a host with a scheme',
    file(
      'applications:\n  - { name: a, host: "https://a.example", upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].host',
    8,
    /without scheme/,
  ],
  [
    'an application at a host where nobody is ever signed in',
    file(
      'applications:\n  - { name: a, host: a.example, upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].host',
    8,
    /cookie belongs to the host of origin.*path.*access: public.*as its origin/,
  ],
  [
    'a resource that is no URI',
    file(
      'applications:\n  - { name: a, accessToken: { resource: api }, upstream: "http://127.0.0.1:1" }',
      'upstream',
    ),
    'applications[0].accessToken.resource',
    8,
    /absolute URI/,
  ],
])
