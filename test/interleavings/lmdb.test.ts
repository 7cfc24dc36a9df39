import { after, it } from 'node:test'
import fc from 'fast-check'
import { openFolder } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'
import { parameters, patience } from './runs.ts'

const quiet = createQuiet()
const folder = openFolder()
after(() => folder.close())

it(
  'keeps every promise whatever happens at the same time, on LMDB [INV-1, INV-3, TOK-6]',
  patience,
  async () => {
    await fc.assert(everyPromiseHolds({ quiet, openStore: folder.openStore }), parameters(60))
  },
)
