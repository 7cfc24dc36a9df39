import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { root } from '../../scripts/run.mjs'

const applications: Readonly<Record<string, readonly string[]>> = {
  'ASP.NET Core': ['dotnet/Program.cs'],
  Java: ['java/App.java'],
  Python: ['python/app.py'],
  'single-page': ['spa/index.html', 'spa/app.js'],
}

describe('an example application behind the gateway', () => {
  for (const [name, files] of Object.entries(applications)) {
    it(`has 80 lines at most, and nothing of OpenID but the word of a sign-out: ${name}`, () => {
      const text = files.map((file) => readFileSync(join(root, 'examples/gateway', file), 'utf8'))
      const lines = text.join('').trimEnd().split('\n')
      assert.ok(lines.length <= 80, `${lines.length} lines`)
      assert.doesNotMatch(text.join(''), /client_?(id|secret)|refresh_token|id_token|nonce|pkce/i)
    })
  }
})
