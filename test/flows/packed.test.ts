import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { claimsBeside, claimsOf } from '#coatcheck/core/session/claims'
import { type Packed, pack, unpack } from '#coatcheck/core/tokens/packed'

/** Parts of tokens, and what looks like one: padded, of the other alphabet, with bits that do not count. */
const part = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  fc.stringMatching(/^[\w=+/~-]{0,12}$/),
  fc.string({ unit: 'binary', maxLength: 8 }),
)
const token = fc.oneof(
  fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('.')),
  // Half a surrogate pair is a string too.
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 6 }).map((units) => {
    return String.fromCharCode(...units)
  }),
)

describe('tokens that are packed', () => {
  it('come back as they were, whatever text they are', () => {
    const content = fc.jsonValue({ maxDepth: 2 })
    fc.assert(
      fc.property(content, fc.array(token, { maxLength: 5 }), (said, tokens) => {
        const packed: Packed = { content: JSON.parse(JSON.stringify(said)), tokens }
        assert.deepEqual(unpack(pack(packed)), packed)
      }),
      { numRuns: 2_000 },
    )
  })

  it('come back from a run of bytes in the middle of others', () => {
    const packed = { content: { a: 1 }, tokens: ['YQ.YR', 'a.b'] }
    const bytes = Buffer.concat([Buffer.from('before'), pack(packed)])
    assert.deepEqual(unpack(bytes.subarray('before'.length)), packed)
  })

  it('take three quarters of their length where they are base64url', () => {
    const parts = [100, 1_000, 256].map((length) => randomBytes(length).toString('base64url'))
    const jwt = parts.join('.')
    assert.ok(pack({ content: {}, tokens: [jwt] }).length < 0.75 * jwt.length + 50)
  })
})

describe('claims that the ID token says', () => {
  const idToken = (payload: string): string =>
    `e30.${Buffer.from(payload).toString('base64url')}.c2ln`

  it('are not kept twice, and are told together with those that it does not say', () => {
    const jwt = idToken('{"sub":"U1","name":"Ada","address":{"country":"UK"}}')
    const said = { sub: 'U1', name: 'Ada', address: { country: 'UK' } }
    const claims = { ...said, email: 'ada@example.com' }
    const otherClaims = claimsBeside(jwt, claims)
    assert.deepEqual(otherClaims, { email: 'ada@example.com' })
    assert.deepEqual(claimsOf({ idToken: jwt, subject: 'U1', otherClaims }), claims)
  })

  it('come back without the members that were left out of them: nobody gets a prototype', () => {
    const jwt = idToken('{"sub":"U1","__proto__":{"a":1},"x":{"__proto__":{"b":1},"c":[1]}}')
    const claims = { sub: 'U1', x: { c: [1] } }
    const otherClaims = claimsBeside(jwt, claims)
    const told = claimsOf({ idToken: jwt, subject: 'U1', otherClaims })
    assert.deepEqual(told, claims)
    assert.equal(JSON.stringify(told).includes('__proto__'), false)
  })
})
