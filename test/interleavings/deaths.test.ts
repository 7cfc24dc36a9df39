import { it } from 'node:test'
import fc from 'fast-check'
import { inMemory } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'
import { parameters, patience } from './runs.ts'

const quiet = createQuiet()

it(
  'keeps every promise where a process dies at any step: another finishes [INV-15]',
  patience,
  async () => {
    const property = everyPromiseHolds({ quiet, openStore: inMemory }, { deaths: true })
    await fc.assert(property, parameters(150))
  },
)
