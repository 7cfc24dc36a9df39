import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { createProgram } from '#gateway/command/program'
import { loadConfiguration } from '#gateway/configuration/load'
import { root } from '../../scripts/run.mjs'
import { KEY } from './under-test.ts'

const gateway = join(root, 'packages/gateway')
const manual = readFileSync(join(gateway, 'README.md'), 'utf8')

/** A listing of the manual, by its language. */
function listing(language: string): string {
  const found = new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(manual)?.[1]
  assert.ok(found, language)
  return found
}

/** Asserts that a command line is one of ours. */
function exists([path = '', name = '', ...options]: readonly string[]): void {
  const { bin } = JSON.parse(readFileSync(join(gateway, 'package.json'), 'utf8'))
  assert.match(path, /(^|\/)node_modules\/\.bin\/coatcheck$/)
  assert.ok(existsSync(join(gateway, bin[basename(path)])))
  const terminal = { isAttended: false, print() {}, complain() {}, confirm: async () => false }
  const program = createProgram(terminal, {}, () => undefined)
  const command = program.commands.find((one) => one.name() === name)
  assert.ok(command, name)
  for (const option of options.filter((one) => one.startsWith('-'))) {
    assert.ok(
      command.options.some(({ long }) => long === option),
      option,
    )
  }
}

/** Asserts that these variables are settings. */
function settles(variables: Readonly<Record<string, string>>): void {
  const complete = {
    COATCHECK_ORIGIN: 'https://apps.example',
    COATCHECK_PROVIDER__ISSUER: 'https://op.example',
    COATCHECK_PROVIDER__CLIENT_ID: 'app',
    COATCHECK_PROVIDER__CLIENT_SECRET: 'secret',
    COATCHECK_KEYS: KEY,
    COATCHECK_UPSTREAM: 'http://127.0.0.1:5000',
  }
  const without = loadConfiguration(undefined, complete)
  const within = loadConfiguration(undefined, { ...complete, ...variables })
  assert.notDeepEqual(within, without)
}

test('The manual’s container runs a command that there is, by settings that there are', () => {
  const lines = listing('dockerfile').split('\n')
  exists(JSON.parse(lines.findLast((line) => line.startsWith('CMD '))?.slice(4) ?? '[]'))
  const [name = '', value = ''] =
    lines
      .find((line) => line.startsWith('ENV '))
      ?.slice(4)
      .split('=') ?? []
  settles({ [name]: value })
})

test('The manual’s unit runs a command that there is, by settings that there are, and waits until it has ended', () => {
  const unit = Object.fromEntries(
    [...listing('ini').matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]),
  ) as Record<string, string>
  exists(unit['ExecStart']?.split(' ') ?? [])
  const [name = '', value = ''] = unit['Environment']?.split('=') ?? []
  settles({ [name]: value })
  assert.match(unit['ExecReload'] ?? '', /-HUP \$MAINPID$/)
  const source = readFileSync(join(gateway, 'src/command/gateway.ts'), 'utf8')
  const grace = Number(/const GRACE = ([\d_]+)/.exec(source)?.[1]?.replace('_', '')) / 1000
  assert.ok(Number(unit['TimeoutStopSec']) > grace, `${grace}`)
})
