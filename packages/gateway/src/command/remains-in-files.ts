import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  fileContents,
  findRemains,
  type RawContents,
  type Remain,
  type Remains,
  type RemainsOptions,
} from 'coatcheck/testing'
import { WrongUse } from './failure.ts'
import { tableText } from './terminal.ts'

/** What the bytes of files hold, erased and not yet overwritten ones included. */
export interface InFiles {
  readonly paths: readonly string[]
  /** What anybody can read there. */
  readonly found: readonly Remain[]
  /** Sealed texts of theirs: legible to whoever has `keys`, until they are overwritten. */
  readonly sealed: number
  /** Older keyrings lie about in freed pages; what was sealed under those that nobody opens is not counted. */
  readonly keyrings: Remains['looked']['keyrings']
}

/** Looks into the files of a store's folder, and into others. The store's contents tell what opens them. */
export async function lookIntoFiles(
  question: RemainsOptions,
  folder: string | undefined,
  others: readonly string[],
): Promise<InFiles> {
  const paths = [...filesIn(folder), ...others.map(readable)]
  if (paths.length === 0) {
    return { paths, found: [], sealed: 0, keyrings: { found: 0, unwrapped: 0 } }
  }
  const contents = inTurn(question.contents, fileContents(...paths))
  const { found, looked } = await findRemains({ ...question, contents })
  return {
    paths,
    found: found.filter(({ place }) => IN_A_FILE.test(place)),
    sealed: looked.inFiles,
    keyrings: looked.keyrings,
  }
}

/** How the places of `fileContents` end; their beginning is hidden where it names somebody. */
const IN_A_FILE = / from byte \d+$/

/** What is said of them. */
export function filesText({ paths, found, sealed, keyrings }: InFiles): string[] {
  if (paths.length === 0) return []
  const closed = keyrings.found - keyrings.unwrapped
  return [
    `Looked into the bytes of ${paths.join(', ')}: ${
      found.length > 0 ? 'something is left for everybody to read:' : 'nothing in plain text.'
    }`,
    ...(found.length > 0 ? [tableText(found.map(({ kind, place }) => [kind, place]))] : []),
    `Sealed texts of theirs there, erased or not: ${sealed}. Whoever has the files and \`keys\` can read them until they are overwritten.`,
    ...(closed > 0
      ? [
          `Keyrings there that these \`keys\` do not unwrap: ${closed}. What was sealed under them is not counted.`,
        ]
      : []),
  ]
}

function filesIn(folder: string | undefined): string[] {
  if (folder === undefined) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? join(folder, entry.name) : [],
  )
}

function readable(file: string): string {
  const path = resolve(file)
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    throw new WrongUse(`${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  if (!statSync(path).isFile()) throw new WrongUse(`${file} is no file: name the files in it.`)
  return path
}

function inTurn(...all: readonly RawContents[]): RawContents {
  return {
    async *[Symbol.asyncIterator]() {
      for (const contents of all) yield* contents
    },
  }
}
