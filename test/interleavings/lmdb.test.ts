import { after, it } from 'node:test'
import fc from 'fast-check'
import { openEnvironment } from '../stores/environment.ts'
import { onDisk } from './places.ts'
import { everyPromiseHolds } from './property.ts'
import { createQuiet } from './quiet.ts'
import { parameters, patience } from './runs.ts'

const quiet = createQuiet()
const environment = openEnvironment()
after(() => environment.close())

it('keeps every promise whatever happens at the same time, on LMDB [INV-3]', patience, async () => {
  const openStore = onDisk(environment)
  await fc.assert(everyPromiseHolds({ quiet, openStore }), parameters(60))
})
