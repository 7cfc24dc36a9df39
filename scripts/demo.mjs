// npm run demo: the built library, as an application would use it, with all parts around it.
import { prepare } from './prepare.mjs'
import { runFile } from './run.mjs'

await prepare()
const built = await runFile('scripts/build.ts', [])
process.exitCode = built === 0 ? await runFile('demo/main.ts', process.argv.slice(2)) : built
