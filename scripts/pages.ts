import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { filesUnder } from './files.ts'
import { root } from './run.mjs'

/** A ```ts block of a page. */
export interface CodeBlock {
  readonly page: string
  /** Where its first line stands in the page. */
  readonly line: number
  /** Of which file it is a copy: the word after ```ts, such as `examples/express.ts`. */
  readonly file: string | undefined
  readonly code: string
}

/** Every ```ts block that a reader may copy. */
export function codeBlocks(): CodeBlock[] {
  const pages = filesUnder('docs').filter((file) => file.endsWith('.md'))
  return ['README.md', 'CONTRIBUTING.md', 'ARCHITECTURE.md', ...pages].flatMap((page) => {
    const text = textOf(page)
    return [...text.matchAll(/^```ts(?: (\S+))?\n(.*?)^```$/gms)].map((found) => ({
      page,
      line: text.slice(0, found.index).split('\n').length + 1,
      file: found[1],
      code: found[2] ?? '',
    }))
  })
}

/**
 * What the compiler says to the blocks that are no copy of a file: each is a module of its own that
 * sees the names of `scripts/pages-context.d.ts`, and the library as an application imports it.
 */
export function typeErrors(blocks: readonly CodeBlock[]): string[] {
  const fragments = new Map(
    blocks
      .filter(({ file }) => file === undefined)
      .map((block) => [join(root, 'examples', `${block.page}-${block.line}.ts`), block]),
  )
  if (fragments.size === 0) return []
  const options = compilerOptions()
  const host = ts.createCompilerHost(options)
  const { readFile, fileExists } = host
  host.readFile = (name) => {
    const block = fragments.get(name)
    return block === undefined ? readFile(name) : `${block.code}\nexport {}\n`
  }
  host.fileExists = (name) => fragments.has(name) || fileExists(name)
  const program = ts.createProgram(
    [...fragments.keys(), join(root, 'scripts/pages-context.d.ts')],
    options,
    host,
  )
  return [...fragments].flatMap(([name, block]) => {
    const file = program.getSourceFile(name)
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ start = 0, messageText }) => {
        const line = block.line + (file?.getLineAndCharacterOfPosition(start).line ?? 0)
        return `${block.page}:${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
      },
    )
  })
}

/** Those of the tests; a fragment may leave a name unused. */
function compilerOptions(): ts.CompilerOptions {
  const file = join(root, 'tsconfig.tests.json')
  const { config } = ts.readConfigFile(file, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(file))
  return { ...options, noUnusedLocals: false, noUnusedParameters: false }
}

/** A page that is not written yet has no blocks; that it is missing is another test's word. */
function textOf(page: string): string {
  try {
    return readFileSync(join(root, page), 'utf8')
  } catch {
    return ''
  }
}
