import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { inMemory, openFolder } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'
import { parameters, patience } from './runs.ts'

describe('where a process dies at any step, another finishes', () => {
  const quiet = createQuiet()
  const folder = openFolder()
  after(() => folder.close())

  it('in memory [INV-15]', patience, async () => {
    const property = everyPromiseHolds({ quiet, openStore: inMemory }, { deaths: true })
    await fc.assert(property, parameters(150))
  })

  it('on LMDB [INV-15]', patience, async () => {
    const property = everyPromiseHolds({ quiet, openStore: folder.openStore }, { deaths: true })
    await fc.assert(property, parameters(30))
  })
})
