// The main job, on real parts. `npm run demo` for a person, `npm run demo -- --once` for a script.

import { rmSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Demo, startDemo } from './demo.ts'
import { walk } from './walk.ts'

const usage = `npm run demo                  on ports 7400 to 7405, until Ctrl-C
npm run demo -- --port 8400   on ports 8400 to 8405
npm run demo -- --once        walks through it by itself: one line of JSON per step`

const { once, port } = parameters()

/** Resolves when somebody wants the demo to end; while it starts, that waits until it has. */
const asked = new Promise<'stop'>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => resolve('stop'))
})

try {
  process.exitCode = once ? await walkOnce() : await stay()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function walkOnce(): Promise<number> {
  const demo = await startDemo(port === undefined ? {} : { firstPort: port })
  tidyUp(demo)
  let interrupted = false
  asked.then(() => {
    interrupted = true
  })
  const held = walk(demo, (line) => {
    if (!interrupted) console.log(JSON.stringify(line))
  })
  const outcome = await Promise.race([held, asked])
  if (outcome === 'stop') {
    await demo.stop()
    // Else the walk would go on, through a demo that is no more.
    process.exit(130)
  }
  return outcome ? 0 : 1
}

async function stay(): Promise<number> {
  const demo = await startDemo({ firstPort: port ?? 7400 })
  tidyUp(demo)
  const { origins, direct } = demo
  console.log(`
  Application A   ${origins.a}   two processes: ${direct.map(({ origin }) => origin).join(', ')}
  Application B   ${origins.b}
  Provider        ${origins.provider}
  API             ${origins.api}

  1. Open A, sign in as Alice, call the API. Open B: the provider knows you already.
  2. Sign out in B, and watch A in its own window: its tokens go, in both processes, with a receipt.

  Ctrl-C ends everything.
`)
  await asked
  console.log('Stopping …')
  await demo.stop()
  return 0
}

/** Whatever happens, what users left behind does not outlive the demo. */
function tidyUp({ folder }: Demo): void {
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
}

function parameters(): { readonly once: boolean; readonly port: number | undefined } {
  try {
    const { values } = parseArgs({
      options: { once: { type: 'boolean', default: false }, port: { type: 'string' } },
    })
    const number = values.port === undefined ? undefined : Number(values.port)
    if (number !== undefined && !(Number.isInteger(number) && number > 0 && number <= 65_530)) {
      throw new Error('--port takes a number from 1 to 65530.')
    }
    return { once: values.once, port: number }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`)
    process.exit(2)
  }
}
