import { it } from 'node:test'
import fc from 'fast-check'
import { inMemory } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'
import { parameters, patience } from './runs.ts'

const quiet = createQuiet()

it(
  'keeps every promise whatever happens at the same time, in memory [INV-1, INV-3, TOK-6]',
  patience,
  async () => {
    await fc.assert(everyPromiseHolds({ quiet, openStore: inMemory }), parameters(300))
  },
)
