import { closest } from 'fastest-levenshtein'
import type { Mistake, Path } from './mistake.ts'
import { keyOf } from './mistake.ts'
import {
  allSettings,
  formsOf,
  itemsOf,
  type SettingSchema,
  segmentOf,
  settingsIn,
} from './settings.ts'
import type { Source } from './source.ts'

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

const PREFIX = 'COATCHECK_'
/** Read by the command line: the name of the file itself. */
const OTHERS = ['COATCHECK_CONFIG']
/** Kubernetes tells every container of a service named `coatcheck` or `coatcheck-…` so. */
const KUBERNETES = /_SERVICE_(HOST|PORT(_\w+)?)$|_PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?$/

/**
 * Lays the environment over a file: `COATCHECK_PROVIDER__CLIENT_SECRET` is `provider.clientSecret`.
 * Two underscores lead into an object or a list, one stands before what is a capital letter in the
 * file; a list is written by positions from 0, or, of texts, with commas. An empty variable says
 * nothing.
 */
export function withEnvironment(
  source: Source,
  environment: Environment,
  schema: SettingSchema,
): { readonly source: Source; readonly mistakes: readonly Mistake[] } {
  const mistakes: Mistake[] = []
  const variables = new Map<string, string>()
  let tree = source.tree
  for (const [name, value = ''] of Object.entries(environment).sort(byName)) {
    if (!name.startsWith(PREFIX) || value === '' || OTHERS.includes(name)) continue
    const found = settingOf(name.slice(PREFIX.length), schema)
    if (found === undefined) {
      if (!KUBERNETES.test(name)) mistakes.push(unknown(name))
      continue
    }
    const laid = put(tree, found.path, readValue(value, found.schema))
    if (laid === undefined) {
      mistakes.push({
        key: keyOf(found.path),
        where: name,
        message:
          'it would go into a setting that is written in short: write that one in full, as an object or a list',
      })
      continue
    }
    tree = laid.tree
    variables.set(keyOf(found.path), name)
  }
  const whereIs = (path: Path): string | undefined =>
    variables.get(keyOf(path)) ?? variables.get(keyOf(path.slice(0, -1))) ?? source.whereIs(path)
  return { source: { tree, whereIs }, mistakes }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  // Whole settings before what is in them; `_` comes after digits and capital letters.
  return a.length - b.length || (a < b ? -1 : 1)
}

/** Which setting the segments of a variable's name lead to. */
function settingOf(
  name: string,
  schema: SettingSchema,
): { readonly path: Path; readonly schema: SettingSchema } | undefined {
  const path: (string | number)[] = []
  let at: SettingSchema | undefined = schema
  for (const segment of name.split('__')) {
    if (/^(0|[1-9]\d{0,3})$/.test(segment)) {
      path.push(Number(segment))
      at = at && itemsOf(at)
    } else {
      const found: [string, SettingSchema] | undefined = Object.entries(
        at ? settingsIn(at) : {},
      ).find(([key]) => segmentOf(key) === segment)
      path.push(found?.[0] ?? '')
      at = found?.[1]
    }
    if (at === undefined) return undefined
  }
  return at && { path, schema: at }
}

/** What a variable says, as the kind its setting is of; the schema refuses what is of none. */
function readValue(text: string, schema: SettingSchema): unknown {
  const forms = formsOf(schema)
  const types = forms.map(({ type, const: only }) => type ?? typeof only)
  if ((types.includes('number') || types.includes('integer')) && /^-?\d+(\.\d+)?$/.test(text)) {
    return Number(text)
  }
  if (types.includes('boolean') && ['true', 'false'].includes(text)) return text === 'true'
  if (types.includes('array') && itemsOf(schema)?.type === 'string') {
    return text.split(',').map((part) => part.trim())
  }
  return text
}

/** A copy of the tree with a value in it; nothing where something else stands in the way. */
function put(
  tree: unknown,
  [first, ...rest]: Path,
  value: unknown,
): { readonly tree: unknown } | undefined {
  if (first === undefined) return { tree: value }
  const isList = typeof first === 'number'
  const there = tree ?? (isList ? [] : {})
  if (typeof there !== 'object' || Array.isArray(there) !== isList) return undefined
  const inner = put(Reflect.get(there, first), rest, value)
  if (inner === undefined) return undefined
  const copy: object = Array.isArray(there) ? [...there] : { ...there }
  Reflect.set(copy, first, inner.tree)
  return { tree: copy }
}

function unknown(name: string): Mistake {
  const known = allSettings().map(({ variable }) => variable)
  const message = `there is no such setting: did you mean ${closest(name, known)}? Otherwise unset it`
  return { key: name, where: 'environment', message }
}
