import { readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import ts from 'typescript'
import { filesUnder } from '../../scripts/files.ts'
import { root } from '../../scripts/run.mjs'

/** Where the published library has its source. */
export const source = 'packages/coatcheck/src'
/** Where the gateway has its own. */
export const gatewaySource = 'packages/gateway/src'

/** One import or re-export of one source file. */
export interface Import {
  /** From `src`, such as `stores/lmdb.ts`. */
  readonly from: string
  /** From `src` where it is a file of ours, otherwise as written: `jose`, `node:crypto`. */
  readonly to: string
  readonly ours: boolean
  /** Gone after compilation. */
  readonly typeOnly: boolean
}

/** Every import of every source file, dynamic ones too. */
export function importsOfSource(folder: string = source): Import[] {
  return sourceFiles(folder).flatMap((from) => {
    const file = parse(`${folder}/${from}`)
    const found: Import[] = []
    const add = (specifier: ts.Node | undefined, typeOnly: boolean): void => {
      if (specifier === undefined || !ts.isStringLiteral(specifier)) return
      const ours = specifier.text.startsWith('.')
      const to = ours ? posix.join(posix.dirname(from), specifier.text) : specifier.text
      found.push({ from, to, ours, typeOnly })
    }
    const visit = (node: ts.Node): void => {
      if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node))
      if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly)
      if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
        add(node.arguments[0], false)
      }
      if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
        add(node.argument.literal, true)
      }
      ts.forEachChild(node, visit)
    }
    visit(file)
    return found
  })
}

/** The files of the library, or of the gateway, from `src`. */
export function sourceFiles(folder: string = source): string[] {
  return filesUnder(folder).map((file) => file.slice(folder.length + 1))
}

/** A file of the workspace as a syntax tree. */
export function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, read(file), ts.ScriptTarget.Latest, true)
}

/** A file of the workspace as text. */
export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function isTypeOnly({ importClause }: ts.ImportDeclaration): boolean {
  if (importClause === undefined) return false
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const { namedBindings, name } = importClause
  return (
    name === undefined &&
    namedBindings !== undefined &&
    ts.isNamedImports(namedBindings) &&
    namedBindings.elements.every((element) => element.isTypeOnly)
  )
}
