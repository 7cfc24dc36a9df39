// npm run requirements: writes docs/requirements.md, which row of the standards each test holds.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { filesUnder } from './files.ts'
import { root } from './run.mjs'

const rowsFile = 'docs/requirements-rows.json'
const reasonsFile = 'docs/requirements-reasons.json'
const pageFile = 'docs/requirements.md'

interface TaggedTitle {
  readonly file: string
  readonly title: string
  readonly rows: readonly string[]
}

/**
 * What is wrong between the rows, the titles that name them and the reasons. With `passed`, the
 * titles of the tests that ran and passed, a title that no test had does not count. With `write`
 * the page is written, otherwise a page that differs is a problem too.
 */
export function requirements(options: { passed?: readonly string[]; write?: boolean }): string[] {
  const rows = readJson(rowsFile)
  const reasons = readJson(reasonsFile)
  const titles = [...filesUnder('test'), ...filesUnder('packages/coatcheck/src/testing')]
    .filter((file) => file.endsWith('.ts') && !file.startsWith('test/repository/'))
    .flatMap(taggedTitles)
  const page = pageOf(rows, reasons, titles)
  if (options.write) writeFileSync(join(root, pageFile), page)
  return [
    ...titles.flatMap(({ file, title, rows: named }) =>
      named
        .filter((row) => !(row in rows))
        .map((row) => `${row} is no row of ${rowsFile}: "${title}" in ${file}`),
    ),
    ...Object.keys(reasons)
      .filter((row) => !(row in rows))
      .map((row) => `${row} in ${reasonsFile} is no row of ${rowsFile}`),
    ...Object.keys(rows)
      .filter((row) => !(row in reasons) && !titles.some((title) => title.rows.includes(row)))
      .map((row) => `${row} has neither a test nor a reason: ${rows[row]}`),
    ...(options.passed === undefined ? [] : unproven(rows, titles, options.passed)),
    ...(options.write || readFileSync(join(root, pageFile), 'utf8') === page
      ? []
      : [`${pageFile} is stale: npm run requirements`]),
  ]
}

/** Rows whose every title is only text: no test of that title ran and passed. */
function unproven(
  rows: Record<string, string>,
  titles: readonly TaggedTitle[],
  passed: readonly string[],
): string[] {
  const proven = new Set(passed.flatMap(rowsIn))
  return Object.keys(rows)
    .filter((row) => !proven.has(row) && titles.some((title) => title.rows.includes(row)))
    .map((row) => `${row} is named by titles of which none ran and passed`)
}

/**
 * Titles that end with rows in brackets, `… [BCL-24, IDT-6]`: what a call is given, or what begins
 * or names a row of a table. A plain list of titles only speaks of them.
 */
function taggedTitles(file: string): TaggedTitle[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(root, file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  )
  const found: TaggedTitle[] = []
  const visit = (node: ts.Node): void => {
    const title = textOf(node)
    const rows = title === undefined ? [] : rowsIn(title)
    if (title !== undefined && rows.length > 0 && isTitle(node)) found.push({ file, title, rows })
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function isTitle(node: ts.Node): boolean {
  const { parent } = node
  if (ts.isArrayLiteralExpression(parent)) {
    return parent.elements[0] === node && ts.isArrayLiteralExpression(parent.parent)
  }
  return ts.isCallExpression(parent) || ts.isPropertyAssignment(parent)
}

/** The text of a string or template; what a template computes shows as `…`. */
function textOf(node: ts.Node): string | undefined {
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text
  if (!ts.isTemplateExpression(node)) return undefined
  return node.head.text + node.templateSpans.map((span) => `…${span.literal.text}`).join('')
}

function rowsIn(title: string): string[] {
  const tags = /(?: ?\[[A-Z]{3}-\d+(?:, ?[A-Z]{3}-\d+)*\])+$/.exec(title)
  return tags?.[0].match(/[A-Z]{3}-\d+/g) ?? []
}

function pageOf(
  rows: Record<string, string>,
  reasons: Record<string, string>,
  titles: readonly TaggedTitle[],
): string {
  const sections = Object.keys(rows).map((row) => {
    const tests = titles
      .filter((title) => title.rows.includes(row))
      .map(
        ({ file, title }) => `- ${title.replace(/( ?\[[A-Z]{3}-\d[^[]*\])+$/, '')} (\`${file}\`)`,
      )
    const reason = reasons[row] === undefined ? [] : [`- ${reasons[row]}`]
    const lines = [...new Set(tests), ...reason]
    return `**${row}** ${rows[row]}\n\n${lines.length > 0 ? lines.join('\n') : '- nothing yet'}\n`
  })
  return `${intro}\n${sections.join('\n')}`
}

const intro = `# Requirements

Each row is a rule from OpenID Connect, OAuth or our own promise (INV), followed by the tests that hold it or the
reason why it does not apply to the parts that exist. Written by \`npm run requirements\`; \`npm test\` fails where a
row has neither, or where none of its tests ran and passed.
`

function readJson(file: string): Record<string, string> {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}

if (import.meta.main) {
  const problems = requirements({ write: true })
  for (const problem of problems) console.error(`✖ ${problem}`)
  console.log(`${pageFile} written, ${problems.length} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
