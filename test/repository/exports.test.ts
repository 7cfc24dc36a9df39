import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { importsOfSource, read, source, sourceFiles } from './sources.ts'

const manifest = JSON.parse(read('packages/coatcheck/package.json'))

describe('the path you import is the path you open', () => {
  it('exports every store, adapter and kit, what is for MSAL, and nothing else', () => {
    const imported = new Set(importsOfSource().map(({ to }) => to))
    const files = sourceFiles().filter(
      (file) =>
        ['index.ts', 'msal/index.ts', 'testing/index.ts'].includes(file) ||
        // What no file of ours imports is there to be imported by others; the rest are its parts.
        (/^(stores|adapters)\/[^/]+\.ts$/.test(file) && !imported.has(file)),
    )
    const subpaths = files.map((file) => `./${file}`.replace(/(\/index)?\.ts$/, ''))
    assert.deepEqual(Object.keys(manifest.exports).sort(), [...subpaths, './package.json'].sort())
  })

  it('points each subpath at what its own source file compiles to', () => {
    for (const [subpath, target] of Object.entries<Record<string, string>>(manifest.exports)) {
      if (subpath === './package.json') continue
      const file = sourceFiles().find((name) =>
        [`${subpath}.ts`, `${subpath}/index.ts`].includes(`./${name}`),
      )
      const built = `./dist/${file?.replace(/\.ts$/, '')}`
      assert.deepEqual(
        Object.entries(target),
        [
          ['types', `${built}.d.ts`],
          ['default', `${built}.js`],
        ],
        `${subpath} of ${source}`,
      )
    }
  })

  it('publishes the compiled files only', () => {
    assert.deepEqual(manifest.files, ['dist'])
  })

  it('needs jose and oauth4webapi and nothing else at run time', () => {
    assert.deepEqual(Object.keys(manifest.dependencies).sort(), ['jose', 'oauth4webapi'])
    const { peerDependencies = {}, peerDependenciesMeta = {} } = manifest
    for (const name of Object.keys(peerDependencies)) {
      assert.equal(peerDependenciesMeta[name]?.optional, true, `${name} is not optional`)
    }
    assert.equal(manifest.scripts?.postinstall ?? manifest.scripts?.install, undefined)
  })
})
