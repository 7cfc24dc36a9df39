// node scripts/start.mjs FILE.ts … : works on a clean clone with any Node, goes on with Node 24.
import { prepare } from './prepare.mjs'
import { runFile } from './run.mjs'

const [file, ...args] = process.argv.slice(2)
if (file === undefined) throw new TypeError('Write: node scripts/start.mjs FILE.ts [arguments]')
await prepare()
process.exitCode = await runFile(file, args)
