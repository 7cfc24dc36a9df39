import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { it } from 'node:test'
import { valueWithout } from '#coatcheck/msal/entry'
import { PYTHON } from '../servers/python.ts'
import { ada, bob, pythonCache } from './entries.ts'

it("a session of Flask that Python pickled is read by Python after a user's tokens went", async () => {
  const value = await pickled(pythonCache(ada, bob))
  const without = valueWithout(value, new Set([ada.id]))
  assert.equal(without.kind, 'rest')
  const rest = without.kind === 'rest' ? without.value : assert.fail()
  assert.equal(rest.includes(ada.id), false)
  const session = await unpickled(rest)
  assert.deepEqual(session['cart'], [1, 2])
  assert.deepEqual(JSON.parse(String(session['_token_cache'])), JSON.parse(pythonCache(bob)))
})

/** What Python's own pickle makes of a session with a token cache: Flask-Session before 0.7. */
async function pickled(cache: string): Promise<Buffer> {
  const script = `import pickle, sys, base64
session = {'_logged_in_user': {'name': 'Ada'}, '_token_cache': sys.stdin.read(), 'cart': [1, 2]}
print(base64.b64encode(pickle.dumps(session)).decode())`
  return Buffer.from(await python(script, cache), 'base64')
}

/** The session that Python reads in such bytes. */
async function unpickled(value: Buffer): Promise<Record<string, unknown>> {
  const script = `import pickle, sys, base64, json
print(json.dumps(pickle.loads(base64.b64decode(sys.stdin.read()))))`
  return JSON.parse(await python(script, value.toString('base64')))
}

function python(script: string, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(PYTHON, ['-c', script], (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    )
    child.stdin?.end(input)
  })
}
