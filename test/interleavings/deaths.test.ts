import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { everyDeath } from './every-death.ts'
import { inMemory, openFolder } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'
import { parameters, patience } from './runs.ts'

describe('where a process dies at any step, another finishes', () => {
  const quiet = createQuiet()
  const folder = openFolder()
  after(() => folder.close())

  it('at each step of each kind of sign-out [INV-15]', patience, async (t) => {
    t.diagnostic(`${await everyDeath({ quiet, openStore: inMemory })} deaths`)
  })

  it('in memory [INV-15]', patience, async () => {
    const property = everyPromiseHolds({ quiet, openStore: inMemory }, { deaths: true })
    await fc.assert(property, parameters(100))
  })

  it('on LMDB [INV-15]', patience, async () => {
    const property = everyPromiseHolds({ quiet, openStore: folder.openStore }, { deaths: true })
    await fc.assert(property, parameters(20))
  })
})
