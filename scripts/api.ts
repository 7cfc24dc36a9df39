// npm run api: writes packages/coatcheck/api.md, everything an application can import, to be read in review.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { build } from './build.ts'
import { root } from './run.mjs'

const folder = join(root, 'packages/coatcheck')
const pageFile = join(folder, 'api.md')

/** The public API as the built declarations say it: a change of it is a change of `api.md`. */
export function apiPage(): string {
  const entries = entryPoints()
  const program = ts.createProgram(Object.values(entries), {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ESNext,
    skipLibCheck: true,
    types: ['node'],
  })
  const sections = Object.entries(entries).map(([subpath, file]) => {
    const source = program.getSourceFile(file)
    if (source === undefined) throw new Error(`${file} is not built`)
    const declarations = exportsOf(program.getTypeChecker(), source).join('\n\n')
    return `## ${subpath}\n\n\`\`\`ts\n${declarations}\n\`\`\`\n`
  })
  return `# Public API\n\nWritten by \`npm run api\` from the built declarations; \`npm run check\` fails where it differs.\n\n${sections.join('\n')}`
}

/** The page that was reviewed and committed, or nothing. */
export function reviewedApiPage(): string {
  try {
    return readFileSync(pageFile, 'utf8')
  } catch {
    return ''
  }
}

function entryPoints(): Record<string, string> {
  const { name, exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const typed = Object.entries<{ types?: string }>(exports).flatMap(([subpath, { types }]) =>
    types === undefined ? [] : [[subpath.replace(/^\./, name), join(folder, types)]],
  )
  return Object.fromEntries(typed)
}

function exportsOf(checker: ts.TypeChecker, source: ts.SourceFile): string[] {
  const module = checker.getSymbolAtLocation(source)
  if (module === undefined) return []
  return checker
    .getExportsOfModule(module)
    .map((exported) => ({
      name: exported.name,
      symbol: exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, symbol }) => (symbol.declarations ?? []).map((d) => textOf(name, d)).join('\n'))
}

const printer = ts.createPrinter({ removeComments: true })

/** A declaration without its comments; what is deprecated (our unsafe switches) says so. */
function textOf(name: string, declaration: ts.Declaration): string {
  const node = ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
  const text = printer
    .printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile())
    .replace(/^export (default )?(declare )?/, '')
    .replace(/;$/gm, '')
    .replace(/^( {4})+/gm, (indent) => indent.slice(indent.length / 2))
  const own = ts.getNameOfDeclaration(declaration)?.getText()
  return [
    ...(ts.getJSDocDeprecatedTag(declaration) ? ['/** @deprecated */'] : []),
    ...(own === undefined || own === name ? [] : [`// exported as ${name}`]),
    text,
  ].join('\n')
}

if (import.meta.main) {
  const problems = build()
  process.stderr.write(problems)
  if (problems === '') writeFileSync(pageFile, apiPage())
  process.exitCode = problems === '' ? 0 : 1
}
