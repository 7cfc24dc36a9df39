import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Import } from './sources.ts'
import { gatewaySource, importsOfSource, read } from './sources.ts'

const imports = importsOfSource()

/** What core and auth both speak: values without behaviour. */
const words = ['errors.ts', 'sign-in-required.ts']

describe('imports point one way: adapters → auth → core → the port ← stores', () => {
  it('lets the core import itself, the error words, node:crypto, node:util, jose and oauth4webapi', () => {
    none(
      importsFrom('core/').filter(
        ({ to, ours }) =>
          !to.startsWith('core/') &&
          !words.includes(to) &&
          (ours || !['node:crypto', 'node:util', 'jose', 'oauth4webapi'].includes(to)),
      ),
      // The public contract is types; the core may name them.
      (found) => found.ours && found.typeOnly && !found.to.includes('/'),
    )
  })

  it('lets auth import the core, never a store, an adapter or a kit', () => {
    none(
      imports.filter(
        ({ from, to, ours }) =>
          !from.includes('/') && (!ours || (to.includes('/') && !to.startsWith('core/'))),
      ),
    )
  })

  it('lets a store import the port, errors, Node, the layout of records and its own folder, never a driver or another store', () => {
    none(
      importsFrom('stores/').filter(({ from, to }) => {
        const name = from.split('/')[1]?.replace('.ts', '')
        const good = ['core/tokens/', 'errors.ts', 'node:', 'stores/layout/', `stores/${name}/`]
        return !good.some((each) => to.startsWith(each))
      }),
    )
  })

  it('lets an adapter name the types of its framework, and run nothing of it', () => {
    none(
      importsFrom('adapters/').filter(
        ({ to, ours, typeOnly }) =>
          to.startsWith('stores/') ||
          to.startsWith('testing/') ||
          (!ours && !to.startsWith('node:') && !typeOnly),
      ),
    )
  })

  it('lets what is for MSAL import the core, the contract and how Redis is talked to, never MSAL', () => {
    none(
      importsFrom('msal/').filter(
        ({ to }) =>
          to.startsWith('testing/') ||
          to.startsWith('adapters/') ||
          (to.startsWith('stores/') && !/^stores\/redis\/(connection|primaries)\.ts$/.test(to)) ||
          to.startsWith('@azure/'),
      ),
    )
  })

  it('lets the kits import anything of ours, jose and Node', () => {
    none(importsFrom('testing/').filter(({ to, ours }) => !ours && !/^(node:|jose$)/.test(to)))
    none(
      imports.filter(({ from, to }) => to.startsWith('testing/') && !from.startsWith('testing/')),
    )
  })
})

describe('the gateway is an application of the library', () => {
  it('imports it by its public subpaths only', () => {
    const { exports } = JSON.parse(read('packages/coatcheck/package.json'))
    const subpaths = Object.keys(exports).map((subpath) => subpath.replace('.', 'coatcheck'))
    none(
      importsOfSource(gatewaySource).filter(
        ({ to, ours }) =>
          (ours && to.startsWith('..')) ||
          (!ours && to.startsWith('coatcheck') && !subpaths.includes(to)),
      ),
    )
  })

  it('needs what its manifest names, and nothing else', () => {
    const { dependencies } = JSON.parse(read('packages/gateway/package.json'))
    const packages = importsOfSource(gatewaySource)
      .filter(({ to, ours }) => !ours && !to.startsWith('node:'))
      .map(({ to }) => /^(@[^/]+\/)?[^/]+/.exec(to)?.[0] ?? to)
    assert.deepEqual([...new Set(packages)].sort(), Object.keys(dependencies).sort())
  })
})

function importsFrom(folder: string): Import[] {
  const found = imports.filter(({ from }) => from.startsWith(folder))
  assert.notEqual(found.length, 0, `${folder} imports nothing: is it still there?`)
  return found
}

function none(found: readonly Import[], except: (found: Import) => boolean = () => false): void {
  assert.deepEqual(
    found.filter((one) => !except(one)).map(({ from, to }) => `${from} imports ${to}`),
    [],
  )
}
