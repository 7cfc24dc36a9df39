import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseJson } from '#coatcheck/core/provider/strict-json'

describe('JSON of a signed token', () => {
  const repeated = [
    '{"sid":"S9","sid":"S1"}',
    '{"s\\u0069d":"S9","sid":"S1"}',
    '{"a":{"b":[{"c":1,"c":2}]}}',
    '{"a" :1,"b":"}{","a"\n:2}',
    '{"a\\"b":1,"a\\"b":2}',
    '{"":1,"":2}',
    '{"x":"\\\\","a":1,"a":2}',
  ]
  for (const text of repeated) {
    it(`is refused where a member name is repeated: ${text} [BCL-47]`, () => {
      assert.throws(() => parseJson(text, 'refuse'), /repeats a member name/)
      assert.doesNotThrow(() => parseJson(text, 'last'))
    })
  }

  const distinct = [
    '{"a":{"a":{"a":1}},"b":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"\\"a\\":1,","b":"a"}',
    '{"sid":"x","Sid":"x","sid ":"x"}',
    '{"a":["a","a"],"b":"\\\\"}',
    ' {} ',
    '"a"',
    '1',
  ]
  for (const text of distinct) {
    it(`is read as it stands where names are distinct: ${text}`, () => {
      assert.deepEqual(parseJson(text, 'refuse'), JSON.parse(text))
    })
  }

  it('is refused where it is nested too deeply', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    assert.doesNotThrow(() => parseJson(nested(32), 'refuse'))
    assert.throws(() => parseJson(nested(33), 'refuse'), /nested too deeply/)
    assert.throws(() => parseJson(nested(30_000), 'refuse'), /nested too deeply/)
  })

  it('never quotes what it refuses', () => {
    assert.throws(
      () => parseJson('{"access_token":"secret-1', 'refuse'),
      (error: Error) => error.message === 'is not JSON' && error.cause === undefined,
    )
  })

  it('cannot change a prototype, neither at once nor when it is copied [SEC-12]', () => {
    const texts = [
      '{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1},"b":2},"constructor":{"prototype":{"polluted":1}}}',
      '{"\\u005f_proto__":{"polluted":1},"a":{"__pro\\u0074o__":{"polluted":1},"b":2},"constructor":3}',
    ]
    for (const text of texts) {
      const value = parseJson(text, 'refuse') as Record<string, Record<string, unknown>>
      const copy = Object.assign({}, value, value['a'])
      assert.equal((copy as Record<string, unknown>)['polluted'], undefined)
      assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
      assert.equal(Object.getPrototypeOf(copy), Object.prototype)
      assert.deepEqual(value['a'], { b: 2 })
      assert.ok(Object.hasOwn(value, 'constructor'))
    }
  })
})
