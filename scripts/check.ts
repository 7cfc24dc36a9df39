// npm run check: everything that can be said about the repository without running the library.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apiPage, reviewedApiPage } from './api.ts'
import { benchSectionDiffers } from './bench-readme.ts'
import { build } from './build.ts'
import { root } from './run.mjs'

/** The published packages: workspace → folder, and what is in its tarball beside pages and manifest. */
const published = {
  coatcheck: { folder: 'packages/coatcheck', own: /^dist\/.+\.(js|d\.ts|js\.map)$/ },
  'coatcheck-gateway': {
    folder: 'packages/gateway',
    own: /^(bin\/coatcheck\.mjs|schema\.json|dist\/.+\.(js|d\.ts|js\.map))$/,
  },
} as const
type Workspace = keyof typeof published

/** Each answers what is wrong; nothing is wrong with an empty answer. */
const checks: Record<string, () => string> = {
  'format and lint': () => biome(),
  'types of the library': () => tool('typescript/bin/tsc', '-p', 'packages/coatcheck', '--noEmit'),
  'types of tests, demo, examples, scripts': () =>
    tool('typescript/bin/tsc', '-p', 'tsconfig.tests.json'),
  'import direction': () => repositoryTest('imports'),
  'exports map': () => repositoryTest('exports'),
  'nothing skipped, nothing missing': () => repositoryTest('house'),
  'code on the pages': () => repositoryTest('pages'),
  build,
  'public API (api.md)': apiDiffers,
  'performance section of the README': benchSectionDiffers,
  'contents of the packages': () =>
    ofEach((workspace) => packed(workspace, (_, files) => unexpected(workspace, files))),
  'package manifests (publint)': () =>
    ofEach((workspace) =>
      packed(workspace, (tarball) => tool('publint/src/cli.js', 'run', tarball, '--strict')),
    ),
  'types as consumers resolve them (attw)': () =>
    packed('coatcheck', (tarball) =>
      tool('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only', '--no-emoji'),
    ),
}

let failed = 0
for (const [name, check] of Object.entries(checks)) {
  const problems = check()
  console.log(`${problems === '' ? 'ok    ' : 'FAILED'} ${name}`)
  if (problems === '') continue
  failed += 1
  console.log(problems.trimEnd().replaceAll(/^/gm, '       '))
}
console.log(`\n${Object.keys(checks).length - failed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1

/** Runs a tool of node_modules; its words where it failed. */
function tool(path: string, ...args: string[]): string {
  return words(process.execPath, [join(root, 'node_modules', path), ...args])
}

function biome(): string {
  return tool('@biomejs/biome/bin/biome', 'ci', '.', '--colors=off', '--max-diagnostics=100')
}

function repositoryTest(name: string): string {
  return words(process.execPath, [
    '--test',
    '--test-reporter=dot',
    `test/repository/${name}.test.ts`,
  ])
}

function apiDiffers(): string {
  const page = apiPage()
  const reviewed = reviewedApiPage()
  if (page === reviewed) return ''
  const known = new Set(reviewed.split('\n'))
  const added = page.split('\n').filter((line) => !known.has(line))
  return ['Run npm run api and read what changed. New lines:', ...added.slice(0, 40)].join('\n')
}

function ofEach(check: (workspace: Workspace) => string): string {
  return (Object.keys(published) as Workspace[]).map(check).filter(Boolean).join('\n')
}

/** Packs a package into a folder that is gone afterwards. */
function packed(workspace: Workspace, look: (tarball: string, files: string[]) => string): string {
  const folder = mkdtempSync(join(tmpdir(), 'coatcheck-pack-'))
  try {
    const { status, stdout, stderr } = spawnSync(
      'npm',
      ['pack', '--json', '--pack-destination', folder, '--workspace', workspace],
      { cwd: root, encoding: 'utf8' },
    )
    if (status !== 0) return stderr
    const [{ filename, files }] = JSON.parse(stdout.slice(stdout.indexOf('[')))
    return look(
      join(folder, filename),
      files.map((file: { path: string }) => file.path),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What the tarball has beside its own files and the three pages, or lacks. */
function unexpected(workspace: Workspace, files: string[]): string {
  const { folder, own } = published[workspace]
  const pages = ['package.json', 'README.md', 'LICENSE']
  const { exports, bin = {} } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  const targets = Object.values<string | Record<string, string>>({ ...exports, ...bin })
    .flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    .map((path) => path.replace('./', ''))
  return [
    ...files
      .filter((file) => !pages.includes(file) && !own.test(file))
      .map((file) => `${file} does not belong into the package`),
    ...[...pages, ...targets]
      .filter((file) => !files.includes(file))
      .map((file) => `${file} is missing from the package`),
  ].join('\n')
}

function words(program: string, args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' })
  return status === 0 ? '' : `${stdout}${stderr}` || `${program} ended with ${status}`
}
