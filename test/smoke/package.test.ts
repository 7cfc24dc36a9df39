import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { otherPath, root } from '../../scripts/run.mjs'

const execute = promisify(execFile)
const slowly = { timeout: 300_000 }

describe('the published package', () => {
  let folder: string
  let subpaths: string[]

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'coatcheck-smoke-'))
    const packing = ['pack', '--json', '--pack-destination', folder, '--workspace', 'coatcheck']
    const { stdout } = await npm(packing, root)
    const [{ filename }] = JSON.parse(stdout.slice(stdout.indexOf('[')))
    const { exports } = await manifest('packages/coatcheck')
    const { devDependencies } = await manifest('.')
    subpaths = Object.keys(exports ?? {})
    const others = ['lmdb', 'express', '@types/express', '@types/node', 'hono'].map(
      (name) => `${name}@${devDependencies?.[name]}`,
    )
    await writeFile(join(folder, 'package.json'), '{ "type": "module", "private": true }')
    await npm(['install', `./${filename}`, 'node@22', ...others], folder)
    await copyFile(join(root, 'test/smoke/consumer.mjs'), join(folder, 'consumer.mjs'))
  }, slowly)

  after(() => rm(folder, { recursive: true }))

  it("runs on the machine's own Node", slowly, async () => {
    const version = await runOn('node')
    const [major = 0, minor = 0] = version.split('.').map(Number)
    assert.ok(major > 20 || (major === 20 && minor >= 19), version)
  })

  it('runs on Node 22', slowly, async () => {
    assert.match(await runOn(join(folder, 'node_modules/node/bin/node')), /^22\./)
  })

  it('runs on Node 24', slowly, async () => {
    assert.match(await runOn(join(root, 'node_modules/node/bin/node')), /^24\./)
  })

  it('has declarations that compile in a strict application', slowly, async () => {
    const imports = subpaths
      .filter((subpath) => !subpath.endsWith('.json'))
      .map((subpath, index) => `import * as m${index} from '${subpath.replace('.', 'coatcheck')}'`)
    const uses = imports.map((_, index) => `m${index}`).join(', ')
    await writeFile(join(folder, 'all.ts'), `${imports.join('\n')}\nconsole.log(${uses})\n`)
    const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--types', 'node']
    const target = ['--target', 'es2023', '--module', 'nodenext']
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    await execute(process.execPath, [tsc, ...options, ...target, 'all.ts'], { cwd: folder })
  })

  /** Runs the consumer, and answers on which version it ran. */
  async function runOn(node: string): Promise<string> {
    const database = await mkdtemp(join(folder, 'data-'))
    const { stdout } = await execute(node, ['consumer.mjs', database], {
      cwd: folder,
      env: machineEnvironment(),
    })
    const seen = JSON.parse(stdout)
    assert.deepEqual(seen.subpaths, subpaths)
    return seen.node.slice(1)
  }
})

function npm(args: string[], cwd: string): Promise<{ stdout: string }> {
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']
  return execute('npm', [...args, ...quiet], { cwd, env: machineEnvironment() })
}

/** As in a terminal: no node_modules on PATH, nothing of the npm that started the tests. */
function machineEnvironment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('npm_') && !name.startsWith('NODE_'),
  )
  return { ...Object.fromEntries(own), PATH: otherPath().join(delimiter) }
}

async function manifest(workspace: string): Promise<Record<string, Record<string, string>>> {
  return JSON.parse(await readFile(join(root, workspace, 'package.json'), 'utf8'))
}
