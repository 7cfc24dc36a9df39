import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

it('A process that has nothing else to do finishes the sign-outs that wait for its store before it ends [BCL-13]', async () => {
  const script = fileURLToPath(new URL('ends.ts', import.meta.url))
  // Rejects where it ends otherwise than by itself: Node says 13 where nothing is left to wait for.
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  assert.deepEqual(JSON.parse(stdout), { failed: 'store_unavailable', done: true })
})
