import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import ts from 'typescript'
import { filesUnder } from '../../scripts/files.ts'
import { root } from '../../scripts/run.mjs'
import { parse, read, source, sourceFiles } from './sources.ts'

describe('the house', () => {
  it('has the pages that every visitor looks for', () => {
    const pages = ['README', 'ARCHITECTURE', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG']
    for (const file of ['LICENSE', ...pages.map((page) => `${page}.md`)]) {
      assert.ok(existsSync(join(root, file)), `${file} is missing`)
    }
    assert.match(read('LICENSE'), /^MIT License\n/)
  })

  it('links only to files that exist', () => {
    const pages = [
      ...filesUnder('docs').filter((file) => file.endsWith('.md')),
      ...filesUnder('decisions').filter((file) => file.endsWith('.md')),
      ...['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].filter(
        (file) => existsSync(join(root, file)),
      ),
    ]
    for (const page of pages) {
      for (const [, target = ''] of read(page).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        assert.ok(existsSync(join(root, page, '..', target)), `${page} links to ${target}`)
      }
    }
  })

  it('logs nothing by itself: the application hears events', () => {
    const calls = sourceFiles().filter((file) => /\bconsole\./.test(read(`${source}/${file}`)))
    assert.deepEqual(calls, [])
  })

  it('has no test that is skipped, to do, or the only one', () => {
    const testFiles = [...filesUnder('test'), ...filesUnder(`${source}/testing`)]
    const found = testFiles.filter((file) => file.endsWith('.ts')).flatMap(setAside)
    assert.deepEqual(found, [])
  })
})

/** `it.skip(…)`, `test(…, { todo: … })`, `t.skip()`: by syntax, so that no text fools it. */
function setAside(file: string): string[] {
  const words = ['skip', 'todo', 'only']
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const { expression } = node
      if (
        ts.isPropertyAccessExpression(expression) &&
        words.includes(expression.name.text) &&
        ts.isIdentifier(expression.expression) &&
        /^(it|test|describe|suite|t|context)$/.test(expression.expression.text)
      ) {
        found.push(`${file}: ${expression.getText()}`)
      }
      if (ts.isIdentifier(expression) && /^(it|test|describe|suite)$/.test(expression.text)) {
        for (const argument of node.arguments.filter(ts.isObjectLiteralExpression)) {
          for (const property of argument.properties) {
            const name = property.name?.getText() ?? ''
            if (words.includes(name)) found.push(`${file}: { ${property.getText()} }`)
          }
        }
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(parse(file))
  return found
}
