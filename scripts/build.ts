import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { filesUnder } from './files.ts'
import { root } from './run.mjs'

/** The gateway is compiled against what the library gives others. */
const packages = ['packages/coatcheck', 'packages/gateway']

/** Compiles the published packages to their `dist`. The compiler's words, or nothing, on success. */
export function build(): string {
  return packages.map(compile).join('')
}

function compile(folder: string): string {
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder],
    { cwd: root, encoding: 'utf8' },
  )
  removeLeftovers(folder)
  return status === 0 ? '' : stdout || `tsc -p ${folder} ended with ${status}\n`
}

/** What was compiled from a source that is gone would be published and imported. */
function removeLeftovers(folder: string): void {
  for (const file of filesUnder(`${folder}/dist`)) {
    const source = file
      .replace(`${folder}/dist/`, `${folder}/src/`)
      .replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts')
    if (source !== file.replace('/dist/', '/src/') && !existsSync(join(root, source))) {
      rmSync(join(root, file))
    }
  }
}

if (import.meta.main) {
  const problems = build()
  process.stderr.write(problems)
  process.exitCode = problems === '' ? 0 : 1
}
