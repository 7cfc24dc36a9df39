import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { keyOf, type Mistake, type Path } from './mistake.ts'
import type { Source } from './source.ts'
import { at } from './tree.ts'

/** Settings that may be in a file of their own, as orchestrators mount secrets. */
const IN_FILES: readonly { readonly path: Path; read(text: string): unknown }[] = [
  { path: ['provider', 'clientSecret'], read: (text) => text.trim() },
  { path: ['keys'], read: (text) => text.split('\n').flatMap((line) => line.trim() || []) },
  { path: ['store'], read: (text) => text.trim() },
  ...['store', 'msal'].flatMap((section) =>
    ['password', 'sentinelPassword'].map((name) => ({
      path: section === 'msal' ? [section, '*', name] : [section, name],
      read: (text: string) => text.trim(),
    })),
  ),
]

/** Reads `clientSecretFile`, `keysFile`, `storeFile` and their like into what they stand for. */
export function withSecretFiles(
  source: Source,
  folder: string,
): { readonly source: Source; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = []
  const tree = structuredClone(source.tree)
  for (const { path, read } of IN_FILES.flatMap((one) => inEach(one, tree))) {
    const name = String(path.at(-1))
    const parent = at(tree, path.slice(0, -1))
    const filePath = fileFor(path)
    const file = at(tree, filePath)
    // Anything else is for the schema to refuse.
    if (typeof parent !== 'object' || parent === null || typeof file !== 'string' || !file) continue
    const refuse = (message: string): void => {
      mistakes.push({ key: keyOf(filePath), where: source.whereIs(filePath), message })
    }
    if (Object.hasOwn(parent, name)) {
      refuse(`\`${name}\` is written too: leave one of the two`)
      continue
    }
    try {
      const value = read(readFileSync(resolve(folder, file), 'utf8'))
      if (value === '' || (Array.isArray(value) && value.length === 0)) {
        refuse('the file is empty: write the secret into it')
      }
      Reflect.set(parent, name, value)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      refuse(
        `the file cannot be read (${code}): name one that is there and that this user may read`,
      )
      // Not missing: it is said already what is wrong.
      Reflect.set(parent, name, PLACEHOLDERS[name])
    }
  }
  const whereIs = (path: Path): string | undefined => {
    const isFromFile = (one: Path): boolean =>
      at(source.tree, one) === undefined && at(source.tree, fileFor(one)) !== undefined
    const read = path.map((_, above) => path.slice(0, above + 1)).find(isFromFile)
    return source.whereIs(read === undefined ? path : fileFor(read))
  }
  return { source: { tree, whereIs }, mistakes }
}

/** The same for every member of a list, where its path has a `*`. */
function inEach<One extends { readonly path: Path }>(one: One, tree: unknown): One[] {
  const star = one.path.indexOf('*')
  if (star < 0) return [one]
  const members = at(tree, one.path.slice(0, star))
  if (!Array.isArray(members)) return []
  return members.map((_, index) => ({ ...one, path: one.path.with(star, index) }))
}

/** `keys` → `keysFile` */
function fileFor(path: Path): Path {
  return [...path.slice(0, -1), `${path.at(-1)}File`]
}

const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  clientSecret: 'unreadable',
  keys: ['-'.repeat(32)],
  store: 'memory',
  password: 'unreadable',
  sentinelPassword: 'unreadable',
}
