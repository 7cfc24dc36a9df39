import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createDangling } from '#coatcheck/stores/redis/dangling'
import type { Parts } from '#coatcheck/stores/redis/insert'

it('still takes out entries without a record after thousands that were only on their way', async () => {
  const dropped: string[] = []
  const indexes = { drop: async (_: string, ids: readonly string[]) => dropped.push(...ids) }
  const parts = { indexes, records: { read: async () => undefined } } as unknown as Parts
  let now = 0
  const dangling = createDangling(parts, () => now)
  const onTheirWay = Array.from({ length: 10_000 }, (_, at) => `written a moment later ${at}`)
  await dangling.saw('index', onTheirWay)
  now += 600_001
  await dangling.saw('index', ['dangling'])
  now += 600_001
  await dangling.saw('index', ['dangling'])
  assert.deepEqual(dropped, ['dangling'])
})
