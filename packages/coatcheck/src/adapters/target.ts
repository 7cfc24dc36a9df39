/**
 * The path and query of a request target. What names a host in it is dropped (RFC 9112 section
 * 3.2.2 lets a client write the whole URL): only the configured origin says where we are.
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target
  const rest = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

/**
 * The path of a request target, byte for byte. It is neither decoded nor normalized, so that
 * `//auth/callback` and `/auth/%63allback` are the application's, as they are to its own router.
 */
export function pathOf(target: string): string {
  const path = originForm(target)
  const query = path.indexOf('?')
  return query < 0 ? path : path.slice(0, query)
}
