import type { Path } from './mistake.ts'

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

/** Whether somebody wrote settings by their names there. */
export function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The members of a list; none where something else was written. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
