import { readdirSync, statSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { root } from './run.mjs'

/** Every file under a folder of the workspace, as sorted paths from its root with slashes. */
export function filesUnder(folder: string): string[] {
  const start = join(root, folder)
  if (statSync(start, { throwIfNoEntry: false }) === undefined) return []
  return readdirSync(start, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}
