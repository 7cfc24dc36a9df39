import type { Path } from './mistake.ts'
import { jsonSchema } from './schema.ts'

/** A setting as its JSON Schema describes it. Of those with a short form too, the full one is looked into. */
export interface SettingSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, SettingSchema>>
  readonly required?: readonly string[]
  readonly items?: SettingSchema
  readonly anyOf?: readonly SettingSchema[]
}

/** One line of the manual. */
export interface Setting {
  /** As it is written to people: `applications[].upstream`. */
  readonly key: string
  /** `COATCHECK_APPLICATIONS__0__UPSTREAM` */
  readonly variable: string
  readonly schema: SettingSchema
}

/** The schema of everything. */
export function wholeSchema(): SettingSchema {
  return jsonSchema() as SettingSchema
}

/** The schema of what is at a path; nothing where nothing can be. */
export function schemaAt(root: SettingSchema, path: Path): SettingSchema | undefined {
  return path.reduce<SettingSchema | undefined>((schema, part) => {
    if (schema === undefined) return undefined
    return typeof part === 'number' ? itemsOf(schema) : settingsIn(schema)[part]
  }, root)
}

/** The settings within one, by name; none where it is not an object. */
export function settingsIn(schema: SettingSchema): Readonly<Record<string, SettingSchema>> {
  return Object.assign({}, ...formsOf(schema).map(({ properties = {} }) => properties))
}

/** What a list is made of; nothing where it is no list. */
export function itemsOf(schema: SettingSchema): SettingSchema | undefined {
  return formsOf(schema).find(({ items }) => items !== undefined)?.items
}

/** Every way in which a setting can be written. */
export function formsOf(schema: SettingSchema): readonly SettingSchema[] {
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(formsOf)
}

/** Every setting there is, in the order of the schema; sections come before what is in them. */
export function allSettings(): Setting[] {
  return [...below(wholeSchema(), [])]
}

function* below(schema: SettingSchema, path: Path): Generator<Setting> {
  for (const [name, inner] of Object.entries(settingsIn(schema))) {
    if (name === '$schema') continue
    yield* one(inner, [...path, name])
  }
}

function* one(schema: SettingSchema, path: Path): Generator<Setting> {
  const key = path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[]` : text === '' ? part : `${text}.${part}`,
    '',
  )
  yield { key, variable: variableOf(path), schema }
  yield* below(schema, path)
  const items = itemsOf(schema)
  if (items !== undefined) yield* below(items, [...path, 0])
}

const PREFIX = 'COATCHECK_'

/** The environment variable of a setting: a rule, so that there is one for each. */
function variableOf(path: Path): string {
  return PREFIX + path.map((part) => segmentOf(String(part))).join('__')
}

/** `clientSecret` → `CLIENT_SECRET` */
export function segmentOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}
