import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { CompactEncrypt, CompactSign, exportSPKI, generateKeyPair, importJWK } from 'jose'
import type { ProviderOptions } from '#coatcheck/core/provider/options'
import type { SignInExpectation, TokenSet } from '#coatcheck/core/provider/types'
import { AuthError } from '#coatcheck/errors'
import {
  assemble,
  client,
  idClaims,
  logoutClaims,
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
let elliptic: SigningKey

before(async () => {
  provider = await startSmallProvider()
  key = await signingKey('k1')
  elliptic = await signingKey('e1', 'ES256')
  provider.keys = [key.jwk, elliptic.jwk]
})
after(() => provider.close())

const accessToken = 'access-1'

function answerWith(idToken: string | undefined): void {
  provider.routes['/token'] = () => ({
    body: { access_token: accessToken, token_type: 'Bearer', expires_in: 60, id_token: idToken },
  })
}

function exchange(
  idToken: string,
  options: Partial<ProviderOptions> = {},
  expect: Partial<SignInExpectation> = {},
): Promise<TokenSet> {
  answerWith(idToken)
  return client(provider, startClock(), options).exchangeCode(new URLSearchParams({ code: 'c' }), {
    redirectUri: 'https://app.example/auth/callback',
    verifier: 'v',
    resources: [],
    expect: { nonce: 'n1', maxAge: undefined, acrValues: [], ...expect },
  })
}

async function accepts(
  changes: Record<string, unknown>,
  options: Partial<ProviderOptions> = {},
  expect: Partial<SignInExpectation> = {},
): Promise<TokenSet> {
  return exchange(await sign(key, idClaims(provider, changes)), options, expect)
}

async function refuses(
  token: string | Promise<string>,
  rule: RegExp,
  options: Partial<ProviderOptions> = {},
  expect: Partial<SignInExpectation> = {},
): Promise<void> {
  await assert.rejects(exchange(await token, options, expect), (error) => {
    assert.ok(error instanceof AuthError)
    assert.equal(error.code, 'id_token_invalid', error.message)
    assert.match(error.message, rule)
    return true
  })
}

function atHash(hash: string): string {
  const digest = createHash(hash).update(accessToken).digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

describe('an ID token', () => {
  it('says who signed in [IDT-5]', async () => {
    const { idToken } = await accepts({ email: 'a@b.example' })
    assert.equal(idToken?.subject, 'U1')
    assert.equal(idToken?.sid, 'S1')
    assert.equal(idToken?.issuedAt, second * 1000)
    assert.equal(idToken?.claims['email'], 'a@b.example')
    assert.equal(idToken?.value.split('.').length, 3)
  })

  const good: [string, Record<string, unknown>][] = [
    ['with aud as a list of us alone [IDT-2]', { aud: ['C1'] }],
    ['with our client as azp [IDT-4]', { azp: 'C1' }],
    ['without sid', { sid: undefined }],
    ['a second before its end is over for both clocks [IDT-8]', { exp: second - 59 }],
    ['issued within the skew ahead of us [IDT-9]', { iat: second + 60 }],
    ['with a subject of 255 characters [IDT-10]', { sub: 'x'.repeat(255) }],
    ['with the hash of its access token [IDT-11]', { at_hash: atHash('sha256') }],
  ]
  for (const [title, changes] of good) {
    it(`is accepted ${title}`, async () => {
      assert.ok((await accepts(changes)).idToken)
    })
  }

  const bad: [string, (issuer: string) => Record<string, unknown>, RegExp][] = [
    ['iss with INVALID [IDT-1]', (issuer) => ({ iss: `${issuer}INVALID` }), /iss/],
    ['iss with a slash [IDT-1]', (issuer) => ({ iss: `${issuer}/` }), /iss/],
    ['iss in capitals [IDT-1]', (issuer) => ({ iss: issuer.toUpperCase() }), /iss/],
    ['iss as a list [IDT-1]', (issuer) => ({ iss: [issuer] }), /iss/],
    ['iss that is missing [IDT-1]', () => ({ iss: undefined }), /iss/],
    ['aud that is missing [IDT-2]', () => ({ aud: undefined }), /aud/],
    ['aud that is empty [IDT-2]', () => ({ aud: [] }), /aud/],
    ['aud of another [IDT-2]', () => ({ aud: 'C1INVALID' }), /aud/],
    ['aud that nests us [IDT-2]', () => ({ aud: [['C1']] }), /aud/],
    ['aud that is an object [IDT-2]', () => ({ aud: { C1: 1 } }), /aud/],
    ['aud beside us [IDT-3]', () => ({ aud: ['C1', 'other'] }), /aud/],
    ['azp of another [IDT-4]', () => ({ azp: 'C9' }), /azp/],
    ['azp of another beside us [IDT-4]', () => ({ azp: ['C1', 'C9'] }), /azp/],
    ['exp that has passed [IDT-8]', () => ({ exp: second - 61 }), /exp has passed/],
    ['exp that has just passed [IDT-8]', () => ({ exp: second - 60 }), /exp has passed/],
    ['exp that is missing [IDT-8]', () => ({ exp: undefined }), /exp/],
    ['exp that is text [IDT-8]', () => ({ exp: '1e99' }), /exp/],
    ['exp beyond all time [IDT-8]', () => ({ exp: 1e99 }), /exp/],
    ['exp that is no number [IDT-8]', () => ({ exp: Number.NaN }), /exp/],
    ['iat that is missing [IDT-9]', () => ({ iat: undefined }), /iat/],
    ['iat that is text [IDT-9]', () => ({ iat: String(second) }), /iat/],
    ['iat in an hour [IDT-9]', () => ({ iat: second + 3600 }), /iat/],
    ['iat a week ago [IDT-9]', () => ({ iat: second - 604_800 }), /iat/],
    ['sub that is missing [IDT-10]', () => ({ sub: undefined }), /sub/],
    ['sub that is a number [IDT-10]', () => ({ sub: 1 }), /sub/],
    ['sub that is a list [IDT-10]', () => ({ sub: ['U1'] }), /sub/],
    ['sub that is empty [IDT-10]', () => ({ sub: '' }), /sub/],
    ['sub of 256 characters [IDT-10]', () => ({ sub: 'x'.repeat(256) }), /sub/],
    ['sid that is a list', () => ({ sid: ['S1'] }), /sid/],
    ['a hash of another token [IDT-11]', () => ({ at_hash: atHash('sha512') }), /at_hash/],
    ['a hash that is a number [IDT-11]', () => ({ at_hash: 1 }), /at_hash/],
    ['another nonce [COR-3]', () => ({ nonce: 'n11' }), /nonce/],
    ['a nonce that is missing [COR-3]', () => ({ nonce: undefined }), /nonce/],
    ['events [IDT-16]', () => ({ events: {} }), /events/],
  ]
  for (const [title, changes, rule] of bad) {
    it(`is refused for ${title} [COR-15]`, async () => {
      await refuses(sign(key, idClaims(provider, changes(provider.issuer))), rule)
      assert.equal(provider.count('/userinfo'), 0)
    })
  }

  it('is not a logout token with the right nonce [IDT-16]', async () => {
    const claims = logoutClaims(provider, { nonce: 'n1', events: undefined })
    await refuses(sign(key, claims, { typ: 'logout+jwt' }), /typ/)
    await refuses(sign(key, logoutClaims(provider, { nonce: 'n1' })), /events/)
  })

  it('may have another audience where that is trusted [IDT-3]', async () => {
    assert.ok(await accepts({ aud: ['C1', 'other'] }, { trustedAudiences: ['other'] }))
    await refuses(sign(key, idClaims(provider, { aud: ['other'] })), /aud/, {
      trustedAudiences: ['other'],
    })
  })

  it('is about the subject exactly as written [IDT-10]', async () => {
    assert.equal((await accepts({ sub: 'Ｕ1' })).idToken?.subject, 'Ｕ1')
    assert.equal((await accepts({ sub: ' U1' })).idToken?.subject, ' U1')
  })

  it('needs a fresh enough auth_time where max_age was asked [COR-16]', async () => {
    const asked = { maxAge: 60 }
    assert.ok(await accepts({ auth_time: second - 30 }, {}, asked))
    assert.ok(await accepts({ auth_time: second - 120 }, {}, asked))
    const claims = (changes: object) => sign(key, idClaims(provider, { ...changes }))
    await refuses(claims({}), /auth_time/, {}, asked)
    await refuses(claims({ auth_time: second - 121 }), /auth_time/, {}, asked)
    await refuses(claims({ auth_time: second + 61 }), /auth_time/, {}, asked)
    await refuses(claims({ auth_time: 'now' }), /auth_time/)
    await refuses(claims({ auth_time: second - 61 }), /auth_time/, {}, { maxAge: 0 })
  })

  it('needs one of the acr values that were asked [COR-17]', async () => {
    const asked = { acrValues: ['gold', 'silver'] }
    assert.ok(await accepts({ acr: 'silver' }, {}, asked))
    for (const acr of [undefined, 'bronze', ['gold']]) {
      await refuses(sign(key, idClaims(provider, { acr })), /acr/, {}, asked)
    }
  })

  it('cannot pollute what the application does with its claims [SEC-12]', async () => {
    const text = JSON.stringify(idClaims(provider)).replace(
      '{',
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},',
    )
    const { idToken } = await exchange(await sign(key, text))
    const copy = Object.assign({}, idToken?.claims) as Record<string, unknown>
    assert.equal(copy['polluted'], undefined)
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })
})

describe('the signature of an ID token', () => {
  it('must fit every bit [IDT-5]', async () => {
    const token = await sign(key, idClaims(provider))
    const flipped = token.slice(0, -20) + (token.at(-20) === 'A' ? 'B' : 'A') + token.slice(-19)
    await refuses(flipped, /signature/)
  })

  it('must be of the registered algorithm [IDT-6] [SEC-8]', async () => {
    await refuses(sign(elliptic, idClaims(provider)), /alg is not RS256/)
    await refuses(assemble({ alg: 'none' }, idClaims(provider)), /alg/)
    assert.ok(
      await exchange(await sign(elliptic, idClaims(provider, { at_hash: atHash('sha256') })), {
        idTokenSignedResponseAlg: 'ES256',
      }),
    )
  })

  it('is never an HMAC with a published key as secret [IDT-7]', async () => {
    const hmac = (secret: Uint8Array) =>
      new CompactSign(new TextEncoder().encode(JSON.stringify(idClaims(provider))))
        .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
        .sign(secret)
    const publicKey = (await importJWK(key.jwk, 'RS256')) as CryptoKey
    const encode = (text: string) => new TextEncoder().encode(text)
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(key.jwk)]) {
      await refuses(hmac(encode(secret)), /alg is not RS256/)
      await refuses(hmac(encode(secret)), /signature/, { idTokenSignedResponseAlg: 'HS256' })
    }
    await refuses(hmac(encode('a secret')), /alg is not RS256/)
    assert.ok(await exchange(await hmac(encode('a secret')), { idTokenSignedResponseAlg: 'HS256' }))
  })

  for (const [alg, hash] of [
    ['RS512', 'sha512'],
    ['PS384', 'sha384'],
    ['ES384', 'sha384'],
    ['Ed25519', 'sha512'],
    ['EdDSA', 'sha512'],
  ] as const) {
    it(`may be ${alg} where that is registered, with its hash [IDT-6] [IDT-11]`, async () => {
      const other = await signingKey(`of-${alg}`, alg)
      provider.keys.push(other.jwk)
      const token = await sign(other, idClaims(provider, { at_hash: atHash(hash) }))
      assert.ok(await exchange(token, { idTokenSignedResponseAlg: alg }))
    })
  }

  it('does not come with its own key [IDT-14]', async () => {
    const stranger = await signingKey('k1')
    const url = `${provider.issuer}/evil`
    const token = sign(stranger, idClaims(provider), { jwk: stranger.jwk, jku: url, x5u: url })
    await refuses(token, /signature/)
    assert.equal(provider.count('/evil'), 0)
  })

  it('does not demand an extension [IDT-15]', async () => {
    const [, , signature] = (await sign(key, idClaims(provider))).split('.')
    for (const header of [{ crit: ['exp'] }, { b64: false }, { b64: false, crit: ['b64'] }]) {
      const token = assemble({ alg: 'RS256', kid: 'k1', ...header }, idClaims(provider), signature)
      await refuses(token, /extension/)
    }
  })

  it('does not cover up repeated members', async () => {
    const text = JSON.stringify(idClaims(provider)).replace('{', '{"sub":"U2",')
    await refuses(sign(key, text), /repeats/)
  })

  it('is not looked at where the token is too large', async () => {
    await refuses(sign(key, idClaims(provider, { x: 'x'.repeat(64 * 1024) })), /too long/)
  })

  it('is found inside where encryption is registered, and only there [IDT-17]', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RSA-OAEP')
    const idTokenEncryption = { key: privateKey, alg: 'RSA-OAEP', enc: 'A256GCM' }
    const signed = await sign(key, idClaims(provider))
    const encrypted = await new CompactEncrypt(new TextEncoder().encode(signed))
      .setProtectedHeader({ alg: 'RSA-OAEP', enc: 'A256GCM' })
      .encrypt(publicKey)
    const { idToken } = await exchange(encrypted, { idTokenEncryption })
    assert.equal(idToken?.value, signed)
    await refuses(signed, /not encrypted/, { idTokenEncryption })
    await refuses(encrypted, /no encryption/)
  })
})

describe('an ID token of a refresh', () => {
  const before = { subject: 'U1', nonce: 'n1', authTime: second - 9 }

  async function refresh(
    changes: Record<string, unknown>,
    expect: { subject: string; nonce: string | undefined; authTime: number | undefined } = before,
  ): Promise<TokenSet> {
    answerWith(await sign(key, idClaims(provider, changes)))
    return client(provider, startClock()).refresh('r1', {
      resources: [],
      scope: undefined,
      claims: undefined,
      expect,
    })
  }

  it('may say the same, with or without nonce and auth_time [IDT-18]', async () => {
    assert.ok(await refresh({ auth_time: second - 9 }))
    assert.ok(await refresh({ nonce: undefined }))
    assert.ok(await refresh({ auth_time: second }, { ...before, authTime: undefined }))
    answerWith(undefined)
  })

  const others: [string, Record<string, unknown>, RegExp][] = [
    ['user', { sub: 'U2' }, /sub/],
    ['issuer', { iss: 'https://op2.test' }, /iss/],
    ['client', { aud: 'C9' }, /aud/],
    ['nonce', { nonce: 'n2' }, /nonce/],
    ['sign-in', { auth_time: second - 8 }, /auth_time/],
  ]
  for (const [what, changes, rule] of others) {
    it(`is refused for another ${what} [IDT-18]`, async () => {
      await assert.rejects(refresh(changes), (error) => {
        assert.ok(error instanceof AuthError)
        assert.equal(error.code, 'id_token_invalid')
        assert.match(error.message, rule)
        return true
      })
    })
  }
})
