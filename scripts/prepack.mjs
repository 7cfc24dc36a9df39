// npm pack and npm publish take pages from the package's own folder: these are the root's.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

for (const page of process.argv.slice(2)) copyFileSync(join(root, page), page)
