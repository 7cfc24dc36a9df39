// npm pack and npm publish take README and LICENSE from the package's own folder; there is one of each, at the root.
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './run.mjs'

for (const page of ['README.md', 'LICENSE']) copyFileSync(join(root, page), page)
