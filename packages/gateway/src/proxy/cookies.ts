/**
 * Cookies of ours, of every deployment on this host: the session's ticket and what a sign-in keeps.
 * An application neither gets them nor sets them.
 */
const OURS = /^(?:__(?:host|secure)-)?coatcheck(?:-\d+)?(?:\.|$)/i

/** A `Cookie` header without ours; `undefined` where nothing is left. */
export function withoutOurCookies(header: string): string | undefined {
  if (!header.toLowerCase().includes('coatcheck')) return header
  const left = header.split(';').filter((part) => !OURS.test(nameOf(part)))
  const rest = left.join(';').trim()
  return rest === '' ? undefined : rest
}

/** `Set-Cookie` lines that an application may write. */
export function withoutSetCookiesOfOurs(lines: string | readonly string[]): string[] {
  return [lines].flat().filter((line) => !OURS.test(nameOf(line)))
}

/**
 * A cookie without a name goes out as its value (RFC 6265bis section 5.8.3): what an application
 * sets as `=coatcheck=x` comes back as `coatcheck=x`.
 */
function nameOf(part: string): string {
  const text = part.replace(/^[\s=]+/, '')
  const at = text.indexOf('=')
  return (at < 0 ? text : text.slice(0, at)).trim()
}
