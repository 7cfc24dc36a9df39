import { readFileSync } from 'node:fs'
import { isMap, isPair, isScalar, LineCounter, parseDocument, type YAMLError } from 'yaml'
import { ConfigurationError, type Path } from './mistake.ts'

/** What was written, before anybody has judged it, and where. */
export interface Source {
  readonly tree: unknown
  /** Where a setting is written, or what it would stand in; nothing where nobody wrote any of it. */
  whereIs(path: Path): string | undefined
}

/** Reads a YAML file. Throws a {@link ConfigurationError} where it is none; it shows no line of it. */
export function readSource(file: string): Source {
  const lines = new LineCounter()
  const document = parseDocument(read(file), { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => `${file}:${lines.linePos(offset).line}`
  const [...faults] = [...document.errors, ...document.warnings]
  if (faults.length > 0) {
    throw new ConfigurationError(
      faults.map((fault) => ({ key: '', where: at(fault.pos[0]), message: wordsFor(fault) })),
    )
  }
  const alias = aliasIn(document)
  if (alias !== undefined) {
    const message = `is no plain YAML: ${alias}`
    throw new ConfigurationError([{ key: '', where: file, message }])
  }

  return {
    tree: document.toJS({ maxAliasCount: 100 }) ?? {},
    whereIs(path) {
      for (let length = path.length; length > 0; length--) {
        const offset = offsetOf(document, path.slice(0, length))
        if (offset !== undefined) return at(offset)
      }
      return file
    },
  }
}

/** A configuration that is in the environment only. */
export const noFile: Source = { tree: {}, whereIs: () => undefined }

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    const message =
      code === 'ENOENT'
        ? 'there is no such file: name the one you mean with --config'
        : `it cannot be read (${code}): let this user read it`
    throw new ConfigurationError([{ key: '', where: file, message }])
  }
}

/** The messages of the parser may hold a piece of the file. */
function wordsFor({ code }: YAMLError): string {
  const fix =
    FIXES[code] ?? 'look for a missing quote, colon or space in this line and the one above'
  return `this is no YAML (${code.toLowerCase().replaceAll('_', ' ')}): ${fix}`
}

const FIXES: Partial<Record<YAMLError['code'], string>> = {
  DUPLICATE_KEY: 'this setting is there twice: leave one of the two',
  TAB_AS_INDENT: 'indent by spaces, not by tabs',
  BAD_INDENT: 'indent what belongs together by the same number of spaces',
  BLOCK_AS_IMPLICIT_KEY: 'put a value that has a colon in it into quotes',
  BAD_ALIAS: 'put a value that begins with an asterisk or an ampersand into quotes',
  BAD_SCALAR_START: 'put a value that begins with a special character into quotes',
  TAG_RESOLVE_FAILED: 'put a value that begins with an exclamation mark into quotes',
  MULTIPLE_DOCS: 'write one document only, without a second ---',
}

/** An alias without its anchor is found only when the tree is made. */
function aliasIn(document: ReturnType<typeof parseDocument>): string | undefined {
  try {
    document.toJS({ maxAliasCount: 100 })
    return undefined
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    return 'put a value that begins with an asterisk into quotes'
  }
}

/** Of a setting its name's place, of an element of a list its own. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: Path): number | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true)
  if (isMap(parent)) {
    const pair = parent.items.find(
      ({ key }) => isScalar(key) && String(key.value) === String(path.at(-1)),
    )
    return isPair(pair) && isScalar(pair.key) ? pair.key.range?.[0] : undefined
  }
  const node: unknown = document.getIn(path, true)
  const range = (node as { readonly range?: readonly number[] | null } | undefined)?.range
  return range?.[0]
}
