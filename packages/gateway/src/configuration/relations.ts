import { LIBRARY_DEFAULTS } from '../library-defaults.ts'
import { applicationRelations } from './application-relations.ts'
import { headerRelations } from './header-relations.ts'
import { listenerRelations } from './listener-relations.ts'
import { keyOf, type Mistake, type Refuse } from './mistake.ts'
import { pemFiles } from './pem-files.ts'
import { redisRelations } from './redis-relations.ts'
import type { Source } from './source.ts'
import { at, isObject } from './tree.ts'

/**
 * What cannot go together, although each of it by itself is fine. It looks at what was written, so
 * that it is said together with everything else; what is of the wrong kind it passes over.
 */
export function relationMistakes(source: Source, folder: string): Mistake[] {
  const mistakes: Mistake[] = []
  const refuse: Refuse = (path, message, where = path) => {
    mistakes.push({ key: keyOf(path), where: source.whereIs(where), message })
  }
  const { tree } = source
  if (!isObject(tree)) return []
  secrets(tree, refuse)
  applicationRelations(tree, refuse)
  headerRelations(tree, refuse)
  times(tree, refuse)
  listenerRelations(tree, refuse)
  redisRelations(tree, refuse)
  pemFiles(tree, folder, refuse)
  return mistakes
}

function secrets(tree: unknown, refuse: Refuse): void {
  const provider = at(tree, ['provider'])
  if (isObject(provider) && at(provider, ['clientSecret']) === undefined) {
    refuse(
      ['provider', 'clientSecret'],
      'it is missing: write the secret that you registered at the provider, or name a file in clientSecretFile',
      ['provider'],
    )
  }
  if (at(tree, ['keys']) === undefined) {
    refuse(
      ['keys'],
      'it is missing: write a list with a secret of at least 32 bytes, such as `openssl rand -base64 32` prints, or name a file in keysFile',
    )
  }
}

function times(tree: unknown, refuse: Refuse): void {
  const lifetime = at(tree, ['session', 'lifetimeSeconds']) ?? LIBRARY_DEFAULTS.lifetimeSeconds
  for (const name of ['idleSeconds', 'revalidateSeconds']) {
    const value = at(tree, ['session', name])
    if (typeof value === 'number' && typeof lifetime === 'number' && value > lifetime) {
      refuse(
        ['session', name],
        'it is longer than session.lifetimeSeconds, so it never comes to it: write less',
      )
    }
  }
}
