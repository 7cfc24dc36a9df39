import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, before, beforeEach, describe, it } from 'node:test'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Provider } from '#coatcheck/core/provider/types'
import { AuthError, type AuthErrorCode } from '#coatcheck/errors'
import {
  assemble,
  type Clock,
  client,
  logoutClaims,
  type SigningKey,
  type SmallProvider,
  second,
  sign,
  signingKey,
  startClock,
  startSmallProvider,
} from './small-provider.ts'

let first: SigningKey
let next: SigningKey
let third: SigningKey
let unnamed: SigningKey
let provider: SmallProvider
let clock: Clock
let ours: Provider

before(async () => {
  first = await signingKey('k1')
  next = await signingKey('k2')
  third = await signingKey('k3')
  unnamed = await signingKey(undefined)
})
beforeEach(async () => {
  provider = await startSmallProvider()
  provider.keys = [first.jwk]
  clock = startClock()
  ours = client(provider, clock)
})
afterEach(() => provider.close())

async function accepted(key: SigningKey, verifier: Provider = ours): Promise<void> {
  assert.equal((await verifier.verifyLogoutToken(await token(key))).sid, 'S1')
}

function token(key: SigningKey, header: Record<string, unknown> = {}): Promise<string> {
  const now = Math.floor(clock.time / 1000)
  return sign(key, logoutClaims(provider, { iat: now, exp: now + 120 }), header)
}

async function refused(code: AuthErrorCode, logoutToken: string): Promise<AuthError> {
  const error: unknown = await ours.verifyLogoutToken(logoutToken).catch((error) => error)
  assert.ok(error instanceof AuthError)
  assert.equal(error.code, code, error.message)
  return error
}

const fetches = (): number => provider.count('/keys')

describe('the keys of the provider', () => {
  it('come from the discovered address, once for many tokens [DIS-5]', async () => {
    provider.metadata['jwks_uri'] = `${provider.issuer}/x/7f3`
    provider.routes['/x/7f3'] = () => ({ body: { keys: [first.jwk] } })
    await Promise.all(Array.from({ length: 20 }, () => accepted(first)))
    await accepted(first)
    assert.equal(provider.count('/x/7f3'), 1)
    assert.equal(fetches(), 0)
  })

  it('are asked for again when a new one signs, twice within the same second [DIS-6] [IDT-12]', async () => {
    await accepted(first)
    provider.keys = [next.jwk]
    await accepted(next)
    provider.keys = [third.jwk]
    await accepted(third)
    assert.equal(fetches(), 3)
    await refused('logout_token_invalid', await token(first))
  })

  it('are asked for once by all who miss the same one [DIS-6]', async () => {
    await accepted(first)
    provider.keys = [first.jwk, next.jwk]
    await Promise.all(Array.from({ length: 20 }, () => accepted(next)))
    assert.equal(fetches(), 2)
  })

  it('are asked for anew where the fetch under way began before the rotation [DIS-6]', async () => {
    await accepted(first)
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const asked = new Promise<void>((resolve) => {
      provider.routes['/keys'] = async () => {
        const body = { keys: provider.keys }
        resolve()
        await held
        return { body }
      }
    })
    const early = ours.verifyLogoutToken(await token(third)).catch((error: AuthError) => error.code)
    await asked
    provider.keys = [first.jwk, next.jwk]
    const late = accepted(next)
    release()
    await late
    assert.equal(await early, 'logout_token_invalid')
  })

  it('cannot be made to be asked for by invented names, and serve all the while [DIS-7]', async () => {
    await accepted(first)
    const signature = (await token(first)).split('.')[2] ?? ''
    const invented = (): string =>
      assemble({ alg: 'RS256', kid: randomUUID() }, logoutClaims(provider), signature)
    const refusals = new Map<string, number>()
    for (let round = 0; round < 10; round++) {
      const codes = await Promise.all(
        Array.from({ length: 1000 }, () =>
          ours.verifyLogoutToken(invented()).then(
            () => 'accepted',
            (error: AuthError) => error.code,
          ),
        ),
      )
      for (const code of codes) refusals.set(code, (refusals.get(code) ?? 0) + 1)
      await accepted(first)
    }
    assert.equal(refusals.get('accepted'), undefined)
    assert.equal(
      [...refusals.values()].reduce((a, b) => a + b),
      10_000,
    )
    assert.ok(fetches() <= 5, `${fetches()} fetches`)
    clock.time += 12_000
    provider.keys = [first.jwk, next.jwk]
    await accepted(next)
    assert.ok(fetches() <= 6)
  })

  it('go on verifying for a day when they cannot be asked for [DIS-9]', async () => {
    await accepted(first)
    provider.routes['/keys'] = () => ({ status: 503 })
    clock.time += 60 * 60 * 1000
    await accepted(first)
    await refused('provider_unreachable', await token(next))
    clock.time += 22.9 * 60 * 60 * 1000
    await accepted(first)
    clock.time += 10 * 60 * 1000
    await refused('provider_unreachable', await token(first))
    provider.routes['/keys'] = () => ({ body: { keys: [first.jwk] } })
    await accepted(first)
  })

  it('are confirmed while they serve, so that a withdrawn one goes away [DIS-9]', async () => {
    await accepted(first)
    provider.keys = [next.jwk]
    clock.time += 10 * 60 * 1000
    const confirmed = new Promise<void>((resolve) => {
      provider.routes['/keys'] = () => {
        resolve()
        return { body: { keys: provider.keys } }
      }
    })
    await accepted(first)
    await confirmed
    await accepted(next)
    await refused('logout_token_invalid', await token(first))
  })

  it('are not known at first and may be there a moment later, for the same token [DIS-10]', async () => {
    const good = provider.routes['/keys']
    provider.routes['/keys'] = () => ({ status: 503 })
    const delivered = await token(first)
    const error = await refused('provider_unreachable', delivered)
    assert.match(error.message, /keys are missing.*503/)
    assert.ok(good)
    provider.routes['/keys'] = good
    assert.equal((await ours.verifyLogoutToken(delivered)).jti, 'j1')
  })

  const broken: [string, () => object][] = [
    ['that are too many', () => ({ body: { keys: Array(101).fill(first.jwk) } })],
    ['in a body of many megabytes', () => ({ body: { keys: [], pad: 'x'.repeat(3_000_000) } })],
    ['of a hundred thousand', () => ({ body: { keys: Array(100_000).fill(first.jwk) } })],
    ['that are not JSON', () => ({ body: '<html>', headers: { 'content-type': 'text/html' } })],
    ['that are no list', () => ({ body: { keys: {} } })],
    ['that are elsewhere', () => ({ status: 302, headers: { location: '/other' } })],
    ['that are not found', () => ({ status: 404 })],
  ]
  for (const [title, answer] of broken) {
    it(`are not taken from an answer ${title}, and the known ones stay [DIS-8]`, async () => {
      provider.routes['/keys'] = answer
      await refused('provider_unreachable', await token(first))
      provider.routes['/keys'] = () => ({ body: { keys: provider.keys } })
      await accepted(first)
      provider.routes['/keys'] = answer
      await refused('provider_unreachable', await token(next))
      await accepted(first)
      assert.equal(provider.count('/other'), 0)
    })
  }

  it('are not waited for without end when they trickle in [DIS-8]', async () => {
    const limits: number[] = []
    const impatient = startClock({
      wait: (milliseconds, signal) => {
        limits.push(milliseconds)
        // The limit passes as soon as the provider has begun to answer.
        return new Promise((resolve) => {
          signal?.addEventListener('abort', () => resolve())
          began.then(resolve)
        })
      },
    })
    let begin = (): void => {}
    const began = new Promise<void>((resolve) => {
      begin = resolve
    })
    const slow = client(provider, impatient)
    await slow.metadata()
    provider.routes['/keys'] = () => {
      setImmediate(begin)
      return { body: { keys: provider.keys }, stall: true }
    }
    await assert.rejects(slow.verifyLogoutToken(await token(first)), {
      code: 'provider_unreachable',
      message: /no complete answer within 5000 ms/,
    })
    assert.deepEqual(limits, [5000, 5000])
  })
})

describe('the right key', () => {
  it('is the only one there when the token names none [IDT-13]', async () => {
    provider.keys = [unnamed.jwk]
    await accepted(unnamed)
  })

  it('is found among several when the token names none [IDT-13]', async () => {
    provider.keys = [first.jwk, next.jwk, unnamed.jwk]
    await accepted(unnamed)
    await refused('logout_token_invalid', await token(await signingKey(undefined)))
  })

  it('is found after a rotation when no token names one [IDT-12] [IDT-13]', async () => {
    provider.keys = [unnamed.jwk]
    await accepted(unnamed)
    const rotated = await signingKey(undefined)
    provider.keys = [rotated.jwk]
    await accepted(rotated)
  })

  it('is looked for among ten at most [IDT-13]', async () => {
    const wrong = Array.from({ length: 10 }, (_, at) => ({ ...first.jwk, kid: `w${at}` }))
    provider.keys = [...wrong, unnamed.jwk]
    await refused('logout_token_invalid', await token(unnamed))
    provider.keys = [...wrong.slice(1), unnamed.jwk]
    await accepted(unnamed)
  })

  it('is not one for encryption of the same name [DIS-13]', async () => {
    const encryption = await signingKey('k1')
    provider.keys = [{ ...encryption.jwk, use: 'enc', alg: 'RSA-OAEP' }, first.jwk]
    await accepted(first)
  })

  const unfit: [string, (jwk: JWK) => JWK][] = [
    ['for encryption', (jwk) => ({ ...jwk, use: 'enc' })],
    ['for another algorithm', (jwk) => ({ ...jwk, alg: 'RS512' })],
    ['for other operations', (jwk) => ({ ...jwk, key_ops: ['encrypt'] })],
    ['of another type', (jwk) => ({ ...jwk, kty: 'EC' })],
    ['that is broken', (jwk) => ({ ...jwk, n: '' })],
    ['of another name', (jwk) => ({ ...jwk, kid: 'K1' })],
  ]
  for (const [title, change] of unfit) {
    it(`is none ${title} [DIS-13]`, async () => {
      provider.keys = [change(first.jwk), null, 'x', 7]
      await refused('logout_token_invalid', await token(first))
    })
  }

  it('may leave out what it is for [DIS-13]', async () => {
    const { use, alg, ...bare } = first.jwk
    provider.keys = [bare]
    await accepted(first)
  })

  it('has at least 2048 bits [DIS-13]', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', {
      modulusLength: 2048,
      extractable: true,
    })
    const short = (await crypto.subtle.generateKey(
      {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: 1024,
        publicExponent: new Uint8Array([1, 0, 1]),
      },
      true,
      ['sign', 'verify'],
    )) as CryptoKeyPair
    provider.keys = [
      { ...(await exportJWK(publicKey)), kid: 'long' },
      { ...(await exportJWK(short.publicKey)), kid: 'short' },
    ]
    await accepted({ alg: 'RS256', kid: 'long', privateKey, jwk: {} })
    const claims = logoutClaims(provider, { iat: second })
    const input = assemble({ alg: 'RS256', kid: 'short' }, claims).slice(0, -1)
    const signature = await crypto.subtle.sign(
      'RSASSA-PKCS1-v1_5',
      short.privateKey,
      new TextEncoder().encode(input),
    )
    const signed = `${input}.${Buffer.from(signature).toString('base64url')}`
    await refused('logout_token_invalid', signed)
  })
})
