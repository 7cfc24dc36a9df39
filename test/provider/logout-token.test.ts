import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CompactEncrypt, generateKeyPair } from 'jose'
import type { ProviderOptions } from '#coatcheck/core/provider/options'
import type { LogoutToken } from '#coatcheck/core/provider/types'
import { AuthError } from '#coatcheck/errors'
import {
  assemble,
  client,
  logoutClaims,
  logoutEvent,
  type SigningKey,
  type SmallProvider,
  second,
  sign,
  signingKey,
  startClock,
  startSmallProvider,
} from './small-provider.ts'

let provider: SmallProvider
let key: SigningKey
let stranger: SigningKey
let elliptic: SigningKey

before(async () => {
  provider = await startSmallProvider()
  key = await signingKey('k1')
  stranger = await signingKey('k1')
  elliptic = await signingKey('e1', 'ES256')
  provider.keys = [key.jwk, elliptic.jwk]
})
after(() => provider.close())

function verify(token: string, options: Partial<ProviderOptions> = {}): Promise<LogoutToken> {
  return client(provider, startClock(), options).verifyLogoutToken(token)
}

async function accepts(
  changes: Record<string, unknown>,
  header: Record<string, unknown> = {},
  options: Partial<ProviderOptions> = {},
): Promise<LogoutToken> {
  return verify(await sign(key, logoutClaims(provider, changes), header), options)
}

async function refuses(
  token: string,
  rule: RegExp,
  options: Partial<ProviderOptions> = {},
): Promise<void> {
  await assert.rejects(verify(token, options), (error) => {
    assert.ok(error instanceof AuthError)
    assert.equal(error.code, 'logout_token_invalid', error.message)
    assert.match(error.message, rule)
    assert.ok(error.message.length < 100)
    for (const part of token.split('.')) {
      if (part.length > 3) assert.ok(!error.message.includes(part))
    }
    return true
  })
}

describe('a logout token', () => {
  it('is believed, and says what it is about [BCL-23] [BCL-43] [BCL-50]', async () => {
    assert.deepEqual(await accepts({ ignored_claim: 'x' }, { typ: 'logout+jwt' }), {
      issuer: provider.issuer,
      subject: 'U1',
      sid: 'S1',
      jti: 'j1',
      issuedAt: second * 1000,
      expiresAt: (second + 120 + 60) * 1000,
      withoutExpiry: false,
      revokeOfflineAccess: false,
      late: false,
    })
  })

  const good: [string, Record<string, unknown>][] = [
    ['with aud as a list of us alone [BCL-27]', { aud: ['C1'] }],
    ['without sub [BCL-32]', { sub: undefined }],
    ['without sid [BCL-32]', { sid: undefined }],
    ['with a sid of any characters [COR-24]', { sid: 'a b/=&#%"\'<>|~' }],
    ['with something in its event [BCL-34]', { events: { [logoutEvent]: { more: 1 } } }],
    ['with a second event [BCL-35]', { events: { [logoutEvent]: {}, 'https://x/y': {} } }],
    ['one second before its end is over for both clocks', { iat: second - 179, exp: second - 59 }],
    ['issued within the skew ahead of us [BCL-29]', { iat: second + 60 }],
    ['with a fraction of a second in its times', { iat: second - 0.5, exp: second + 1.5 }],
  ]
  for (const [title, changes] of good) {
    it(`is accepted ${title}`, async () => {
      assert.equal((await accepts(changes)).late, false)
    })
  }

  const bad: [string, Record<string, unknown>, RegExp][] = [
    ['iss of another [BCL-26]', { iss: 'https://op1.testINVALID' }, /iss/],
    ['iss that is missing [BCL-26]', { iss: undefined }, /iss/],
    ['aud of another [BCL-27]', { aud: 'C9' }, /aud/],
    ['aud that is missing [BCL-27]', { aud: undefined }, /aud/],
    ['aud that is empty [BCL-27]', { aud: [] }, /aud/],
    ['aud that is null [BCL-27]', { aud: null }, /aud/],
    ['aud that is a number [BCL-27]', { aud: 1 }, /aud/],
    ['aud that nests us [BCL-27]', { aud: [['C1']] }, /aud/],
    ['aud beside us [BCL-28]', { aud: ['C1', 'C9'] }, /aud/],
    ['aud beside us that is no string [BCL-28]', { aud: ['C1', null] }, /aud/],
    ['iat that is missing [BCL-29]', { iat: undefined }, /iat/],
    ['iat that is text [BCL-29]', { iat: String(second) }, /iat/],
    ['iat in an hour [BCL-29]', { iat: second + 3600, exp: second + 4000 }, /iat/],
    ['iat of yesterday and more [BCL-30]', { iat: second - 86_401, exp: second + 9 }, /iat/],
    ['exp that is text [BCL-30]', { exp: String(second + 120) }, /exp/],
    ['exp that is null [BCL-30]', { exp: null }, /exp/],
    ['exp beyond all time [BCL-30]', { exp: 1e99 }, /exp/],
    ['neither sub nor sid [BCL-32]', { sub: undefined, sid: undefined }, /sub and sid/],
    ['sub and sid that are null [BCL-32]', { sub: null, sid: null }, /sub/],
    ['sid that is a list [BCL-32]', { sid: ['S1'] }, /sid/],
    ['sid that is empty and no sub [BCL-32]', { sub: undefined, sid: '' }, /sid/],
    ['sid that is an object [BCL-32]', { sid: {} }, /sid/],
    ['sub of 256 characters [IDT-10]', { sub: 'x'.repeat(256) }, /sub/],
    ['events that is missing [BCL-33]', { events: undefined }, /events/],
    ['events that is a list [BCL-33]', { events: [logoutEvent] }, /events/],
    ['events that is text [BCL-33]', { events: logoutEvent }, /events/],
    ['events that is null [BCL-33]', { events: null }, /events/],
    [
      'another event [BCL-33]',
      { events: { 'http://schemas.openid.net/event/foobar': {} } },
      /events/,
    ],
    [
      'the event over https [BCL-33]',
      { events: { [logoutEvent.replace('http:', 'https:')]: {} } },
      /events/,
    ],
    ['the event with a slash [BCL-33]', { events: { [`${logoutEvent}/`]: {} } }, /events/],
    ['an event that is null [BCL-34]', { events: { [logoutEvent]: null } }, /event/],
    ['an event that is a list [BCL-34]', { events: { [logoutEvent]: [] } }, /event/],
    ['an event that is true [BCL-34]', { events: { [logoutEvent]: true } }, /event/],
    ['an event that is text [BCL-34]', { events: { [logoutEvent]: 'x' } }, /event/],
    ['an event that is a number [BCL-34]', { events: { [logoutEvent]: 1 } }, /event/],
    ['a nonce [BCL-36]', { nonce: 'x' }, /nonce/],
    ['an empty nonce [BCL-36]', { nonce: '' }, /nonce/],
    ['a nonce that is null [BCL-36]', { nonce: null }, /nonce/],
    ['jti that is missing [BCL-37]', { jti: undefined }, /jti/],
    ['jti that is a number [BCL-37]', { jti: 1 }, /jti/],
    ['jti that is empty [BCL-37]', { jti: '' }, /jti/],
    ['jti without end [BCL-37]', { jti: 'x'.repeat(1025) }, /jti/],
  ]
  for (const [title, changes, rule] of bad) {
    it(`is refused for ${title}`, async () => {
      await refuses(await sign(key, logoutClaims(provider, changes)), rule)
    })
  }

  it('is refused where the event is only inherited [BCL-33]', async () => {
    const claims = JSON.stringify(logoutClaims(provider, { events: 0 }))
    const token = claims.replace('"events":0', `"events":{"__proto__":{"${logoutEvent}":{}}}`)
    await refuses(await sign(key, token), /events/)
  })

  for (const typ of ['JWT', 'jwt', 'logout+jwt', 'Logout+JWT', 'application/logout+jwt']) {
    it(`is accepted with typ ${typ} [BCL-41]`, async () => {
      assert.equal((await accepts({}, { typ })).jti, 'j1')
    })
  }
  for (const typ of ['at+jwt', 'dpop+jwt', 'client-authentication+jwt', 'secevent+jwt', '']) {
    it(`is refused with typ "${typ}" [BCL-41]`, async () => {
      await refuses(await sign(key, logoutClaims(provider), { typ }), /typ/)
    })
  }

  it('needs its own typ in strict mode [BCL-42]', async () => {
    const strict = { strictLogoutTokens: true }
    assert.equal((await accepts({}, { typ: 'logout+jwt' }, strict)).late, false)
    for (const header of [{}, { typ: 'JWT' }]) {
      await refuses(await sign(key, logoutClaims(provider), header), /typ/, strict)
    }
  })

  it('may lack exp while it is at most five minutes old [BCL-30] [BCL-31]', async () => {
    const fresh = await accepts({ exp: undefined, iat: second - 300 })
    assert.equal(fresh.withoutExpiry, true)
    assert.equal(fresh.expiresAt, (second + 60) * 1000)
    const stale = await sign(key, logoutClaims(provider, { exp: undefined, iat: second - 301 }))
    await refuses(stale, /exp is missing/)
    const strict = { strictLogoutTokens: true }
    const typed = await sign(key, logoutClaims(provider, { exp: undefined }), { typ: 'logout+jwt' })
    await refuses(typed, /exp is missing/, strict)
  })

  it('is late, not invalid, when only its end has passed [BCL-30]', async () => {
    assert.equal((await accepts({ iat: second - 200, exp: second - 60 })).late, true)
    const others = [
      { aud: 'C9' },
      { nonce: 'x' },
      { jti: undefined },
      { events: {} },
      { iat: second - 90_000 },
    ]
    for (const other of others) {
      const claims = logoutClaims(provider, { iat: second - 200, exp: second - 60, ...other })
      await refuses(await sign(key, claims), /refused/)
    }
    await refuses(await sign(stranger, logoutClaims(provider, { exp: second - 60 })), /signature/)
  })

  it('is remembered no longer than it could be believed [BCL-39]', async () => {
    const token = await accepts({ exp: second + 10 * 365 * 86_400 })
    assert.equal(token.expiresAt, (second + 86_400 + 60) * 1000)
  })

  it('can end offline grants too, where it says exactly so [BCL-58]', async () => {
    const withFlag = (value: unknown) =>
      accepts({ events: { [logoutEvent]: { revoke_offline_access: value } } })
    assert.equal((await withFlag(true)).revokeOfflineAccess, true)
    assert.equal((await withFlag('true')).revokeOfflineAccess, false)
  })

  it('may have another audience where that is trusted [BCL-28]', async () => {
    const token = await accepts({ aud: ['C1', 'C9'] }, {}, { trustedAudiences: ['C9'] })
    assert.equal(token.sid, 'S1')
  })

  it('may be as old as the options say', async () => {
    const claims = { iat: second - 120, exp: second + 120 }
    assert.equal((await accepts(claims, {}, { logoutTokenAgeSeconds: 120 })).late, false)
    await refuses(await sign(key, logoutClaims(provider, claims)), /iat/, {
      logoutTokenAgeSeconds: 119,
    })
  })
})

describe('the signature of a logout token', () => {
  for (const alg of ['none', 'None', 'NONE', 'nOnE']) {
    it(`is needed: alg ${alg}, with or without the last dot [BCL-24]`, async () => {
      const token = assemble({ alg }, logoutClaims(provider))
      await refuses(token, /alg/)
      await refuses(token.slice(0, -1), /not a signed token/)
    })
  }

  it('is needed although the header says that it is there [BCL-23]', async () => {
    await refuses(assemble({ alg: 'RS256', kid: 'k1' }, logoutClaims(provider)), /signature/)
  })

  it('must fit every bit of the payload [BCL-23]', async () => {
    const [header, payload, signature = ''] = (await sign(key, logoutClaims(provider))).split('.')
    const other = Buffer.from(JSON.stringify(logoutClaims(provider, { sid: 'S2' })))
    await refuses(`${header}.${other.toString('base64url')}.${signature}`, /signature/)
    await refuses(`${header}.${payload}.${signature.slice(0, -8)}`, /signature/)
    await refuses(`${header}.${payload}.${signature}=`, /signature/)
    await refuses(`${header}.${payload}.${signature}.x`, /not a signed token/)
  })

  it('has one spelling, so that one token is not two [BCL-23]', async () => {
    const token = await sign(key, logoutClaims(provider))
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    // 256 bytes end in a character of which four bits do not count.
    const neighbour = alphabet[alphabet.indexOf(token.at(-1) ?? '') + 1]
    await refuses(token.slice(0, -1) + neighbour, /signature/)
    await refuses(`${token}A`, /signature/)
    await refuses(`${token}==`, /signature/)
    await refuses(token.replaceAll('-', '+').replaceAll('_', '/').concat('\n'), /refused/)
  })

  it('must be of the registered algorithm, not of another good one [BCL-25] [SEC-8]', async () => {
    await refuses(await sign(elliptic, logoutClaims(provider)), /alg is not RS256/)
    const verified = await verify(await sign(elliptic, logoutClaims(provider)), {
      idTokenSignedResponseAlg: 'ES256',
    })
    assert.equal(verified.sid, 'S1')
  })

  it('must be made with a key of the provider [BCL-26]', async () => {
    await refuses(await sign(stranger, logoutClaims(provider)), /signature/)
  })

  it('cannot bring its own key, nor say where one is [BCL-44] [SEC-11]', async () => {
    const asked = provider.seen.length
    const url = `${provider.issuer}/evil-keys`
    const headers = [
      { jwk: stranger.jwk },
      { jku: url },
      { x5u: url },
      { x5c: ['MIIB'] },
      { jwk: stranger.jwk, kid: undefined },
    ]
    for (const header of headers) {
      const token = await sign(stranger, logoutClaims(provider), header)
      await refuses(token, /signature/)
    }
    assert.ok(!provider.seen.slice(asked).some(({ path }) => path === '/evil-keys'))
  })

  it('cannot demand an extension [BCL-44]', async () => {
    const parts = (await sign(key, logoutClaims(provider))).split('.')
    const headers = [{ crit: ['exp'], exp: 1 }, { crit: [] }, { b64: false, crit: ['b64'] }]
    for (const header of [...headers, { b64: true }]) {
      const changed = assemble({ alg: 'RS256', kid: 'k1', ...header }, logoutClaims(provider))
      await refuses(changed + parts[2], /extension/)
    }
  })

  it('does not cover up repeated members, wherever they stand [BCL-47]', async () => {
    const payload = JSON.stringify(logoutClaims(provider))
    const twice = [
      payload.replace('"sid":"S1"', '"sid":"S9","sid":"S1"'),
      payload.replace('"sid":"S1"', '"s\\u0069d":"S9","sid":"S1"'),
      payload.replace(`"${logoutEvent}":{}`, `"${logoutEvent}":{"a":1,"a":2}`),
    ]
    for (const text of twice) await refuses(await sign(key, text), /repeats/)
    const header = '{"alg":"none","alg":"RS256","kid":"k1"}'
    await refuses(assemble(header, payload, 'AAAA'), /repeats/)
  })

  it('is not looked at where the token is too large [BCL-17]', async () => {
    const large = await sign(key, logoutClaims(provider, { padding: 'x'.repeat(16 * 1024) }))
    await refuses(large, /too long/)
    const wide = await sign(key, logoutClaims(provider), { padding: 'x'.repeat(5000) })
    await refuses(wide, /header is too long/)
  })

  for (const token of ['', '.', '..', 'x', 'a.b', 'a.b.c', 'é.é.é', 'bnVsbA.e30.AA', ' . . ']) {
    it(`is not found in "${token}"`, () => refuses(token, /refused/))
  }
})

describe('an encrypted logout token', () => {
  const encrypt = async (
    text: string,
    publicKey: Awaited<ReturnType<typeof generateKeyPair>>['publicKey'],
    header: { alg: string; enc: string },
  ) =>
    new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(header).encrypt(publicKey)

  it('is opened with the registered key and algorithms only [BCL-20] [BCL-21]', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RSA-OAEP')
    const registered = { alg: 'RSA-OAEP', enc: 'A256GCM' }
    const idTokenEncryption = { key: privateKey, ...registered }
    const signed = await sign(key, logoutClaims(provider))
    const encrypted = await encrypt(signed, publicKey, registered)
    assert.equal((await verify(encrypted, { idTokenEncryption })).sid, 'S1')
    await refuses(signed, /not encrypted/, { idTokenEncryption })
    const otherwise = await encrypt(signed, publicKey, { alg: 'RSA-OAEP', enc: 'A128GCM' })
    await refuses(otherwise, /another algorithm/, { idTokenEncryption })
    const unsigned = await encrypt(assemble({ alg: 'none' }, logoutClaims(provider)), publicKey, {
      ...registered,
    })
    await refuses(unsigned, /alg/, { idTokenEncryption })
    await refuses(encrypted, /no encryption is registered/)
  })

  it('cannot order an expensive key derivation [BCL-22]', async () => {
    const header = { alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 2 ** 31, p2s: 'AAAA' }
    const token = `${Buffer.from(JSON.stringify(header)).toString('base64url')}.AA.AA.AA.AA`
    await refuses(token, /no encryption is registered/)
    const { privateKey } = await generateKeyPair('RSA-OAEP')
    const idTokenEncryption = { key: privateKey, alg: 'RSA-OAEP', enc: 'A256GCM' }
    await refuses(token, /another algorithm/, { idTokenEncryption })
  })
})
