import { describe } from 'node:test'
import { testSignOuts } from './remains-flows.ts'
import { STORES } from './remains-stores.ts'

for (const [kind, open] of Object.entries(STORES)) {
  describe(`findRemains, in the raw contents of the ${kind} store`, () => testSignOuts(open))
}
