import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { keyOf, type Mistake, type Path } from './mistake.ts'
import type { Source } from './source.ts'

/** Settings that may be in a file of their own, as orchestrators mount secrets. */
const IN_FILES: readonly { readonly path: Path; read(text: string): unknown }[] = [
  { path: ['provider', 'clientSecret'], read: (text) => text.trim() },
  { path: ['keys'], read: (text) => text.split('\n').flatMap((line) => line.trim() || []) },
  { path: ['store'], read: (text) => text.trim() },
]

/** Reads `clientSecretFile`, `keysFile` and `storeFile` into what they stand for. */
export function withSecretFiles(
  source: Source,
  folder: string,
): { readonly source: Source; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = []
  const tree = structuredClone(source.tree)
  for (const { path, read } of IN_FILES) {
    const name = String(path.at(-1))
    const parent = path.length === 1 ? tree : at(tree, path.slice(0, -1))
    const file = at(parent, [`${name}File`])
    // Anything else is for the schema to refuse.
    if (typeof parent !== 'object' || parent === null || typeof file !== 'string' || !file) continue
    const filePath = [...path.slice(0, -1), `${name}File`]
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
    const [first, second] = path
    const name = first === 'provider' ? second : first
    const isFromFile = at(source.tree, path) === undefined && typeof name === 'string'
    const of = first === 'provider' ? ['provider', `${name}File`] : [`${name}File`]
    return isFromFile && at(source.tree, of) !== undefined
      ? source.whereIs(of)
      : source.whereIs(path)
  }
  return { source: { tree, whereIs }, mistakes }
}

const PLACEHOLDERS: Readonly<Record<string, unknown>> = {
  clientSecret: 'unreadable',
  keys: ['-'.repeat(32)],
  store: 'memory',
}

/** What is at a path of a tree that may be of any shape. */
export function at(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, part)
        ? Reflect.get(inner, part)
        : undefined,
    tree,
  )
}
