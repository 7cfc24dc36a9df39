import { closest, distance } from 'fastest-levenshtein'
import type { z } from 'zod'
import { keyOf, type Mistake, type Path } from './mistake.ts'
import { formsOf, type SettingSchema, schemaAt, settingsIn } from './settings.ts'
import type { Source } from './source.ts'
import { at } from './tree.ts'

type Issue = z.core.$ZodIssue

/** What the schema says against a configuration, in words for people. */
export function shapeMistakes(
  issues: readonly Issue[],
  source: Source,
  schema: SettingSchema,
): Mistake[] {
  const found = issues.flatMap((issue) => withoutUnion(issue, [], source.tree))
  const meant = new Set<string>()
  const unknown = found.flatMap(({ path, issue }) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((name) => unknownKey(path, name, source, schema, meant))
      : [],
  )
  const wrong = found.flatMap(({ path, issue }): Mistake[] => {
    const key = keyOf(path)
    // Missing only because its name was mistyped.
    if (issue.code === 'unrecognized_keys' || meant.has(key)) return []
    const value = at(source.tree, path)
    const message = `${faultOf(issue, value)}: ${issue.message}`
    return [{ key: key || 'configuration', where: source.whereIs(path), message }]
  })
  return [...unknown, ...wrong]
}

interface Found {
  readonly path: Path
  readonly issue: Issue
}

/** Of what can be written in several ways, the mistakes in the one that was tried. */
function withoutUnion(issue: Issue, above: Path, tree: unknown): Found[] {
  const path = [
    ...above,
    ...issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
  ]
  if (issue.code !== 'invalid_union') return [{ path, issue }]
  const tried = issue.errors.find((errors) => errors.length > 0 && errors.every(isWithin))
  if (tried === undefined || typeof at(tree, path) !== 'object') return [{ path, issue }]
  return tried.flatMap((inner) => withoutUnion(inner, path, tree))
}

/** Whether it is about something in the value and not about what kind of value it is. */
function isWithin({ path, code }: Issue): boolean {
  return path.length > 0 || code === 'unrecognized_keys'
}

function faultOf(issue: Issue, value: unknown): string {
  if (value === undefined) return 'it is missing'
  if (value === null) return 'it is empty'
  if (issue.code === 'invalid_type') return `it is ${kindOf(value)}`
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const near = nearest(value, issue.values.map(String))
    return near === undefined ? 'it is none of those' : `it is none of those, did you mean ${near}?`
  }
  if (issue.code === 'too_small' && Array.isArray(value)) return 'the list is empty'
  if (issue.code === 'too_small') return 'it is too small'
  if (issue.code === 'too_big') return 'it is too large'
  return 'it cannot be used'
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  const kinds: Readonly<Record<string, string>> = {
    object: 'an object',
    string: 'a text',
    number: 'a number',
    boolean: 'true or false',
  }
  return kinds[typeof value] ?? 'something else'
}

function unknownKey(
  path: Path,
  name: string,
  source: Source,
  schema: SettingSchema,
  meant: Set<string>,
): Mistake {
  const here = schemaAt(schema, path)
  const known = Object.keys(here === undefined ? {} : settingsIn(here)).filter(
    (one) => one !== '$schema',
  )
  const near = nearest(name, known)
  if (near !== undefined && at(source.tree, [...path, near]) === undefined) {
    meant.add(keyOf([...path, near]))
  }
  const elsewhere = near === undefined ? placeOf(name, schema, []) : undefined
  const advice =
    near !== undefined
      ? `did you mean ${near}?`
      : elsewhere !== undefined
        ? `it belongs to ${elsewhere}`
        : `write one of ${known.join(', ')}`
  return {
    key: keyOf([...path, isShowable(name) ? name : '…']),
    where: source.whereIs([...path, name]),
    message: `there is no such setting: ${advice}`,
  }
}

/** A secret that was put where a name belongs is not shown. */
function isShowable(name: string): boolean {
  return /^[A-Za-z_$][\w.-]{0,31}$/.test(name)
}

/** The known one that is meant, where one is near enough. */
function nearest(written: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, '')
  const same =
    known.find((one) => plain(one) === plain(written)) ??
    (written.length > 2 ? known.find((one) => plain(one).startsWith(plain(written))) : undefined)
  if (same !== undefined || known.length === 0) return same
  const near = closest(written, [...known])
  return distance(written, near) <= Math.max(2, Math.floor(near.length / 3)) ? near : undefined
}

/** Where a setting of this name would be, that was written one level too high or too low. */
function placeOf(name: string, schema: SettingSchema, path: Path): string | undefined {
  for (const [key, inner] of Object.entries(settingsIn(schema))) {
    if (key === name) return path.length === 0 ? 'the top level' : keyOf(path)
    const found = formsOf(inner).some(({ properties }) => properties !== undefined)
      ? placeOf(name, inner, [...path, key])
      : undefined
    if (found !== undefined) return found
  }
  return undefined
}
