/** Something wrong with the configuration. It never repeats a value: that may be a secret. */
export interface Mistake {
  /** Dotted path of the setting, `applications[0].upstream`; empty where it is about the whole. */
  readonly key: string
  /** What is wrong, and what to write: a sentence that follows the key. */
  readonly message: string
  /** Where it was written: `coatcheck.yaml:4`, or the name of an environment variable. */
  readonly where: string | undefined
}

/** Where in the configuration: names of settings and positions in lists. */
export type Path = readonly (string | number)[]

/** Tells a mistake at a path; `where` is the nearest that was written, if not that. */
export type Refuse = (path: Path, message: string, where?: Path) => void

/** The configuration cannot be used. `message` is for people, and lists every mistake. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly mistakes: readonly Mistake[]

  constructor(mistakes: readonly Mistake[]) {
    super(textOf(mistakes))
    this.mistakes = mistakes
  }
}

/** A path as it is written to people: `applications[0].upstream`. */
export function keyOf(path: Path): string {
  return path.reduce<string>((key, part) => {
    if (typeof part === 'number') return `${key}[${part}]`
    return key === '' ? part : `${key}.${part}`
  }, '')
}

function textOf(mistakes: readonly Mistake[]): string {
  const head =
    mistakes.length === 1
      ? 'The configuration has a mistake:'
      : `The configuration has ${mistakes.length} mistakes:`
  return [head, ...mistakes.map(lineOf)].join('\n')
}

function lineOf({ key, where, message }: Mistake): string {
  const place = where === undefined ? '' : ` (${where})`
  return key === '' ? `  ${where ?? 'configuration'}: ${message}` : `  ${key}${place}: ${message}`
}
