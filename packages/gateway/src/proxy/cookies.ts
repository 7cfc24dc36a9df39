/**
 * Cookies of ours, of every deployment on this host: the session's ticket and what a sign-in keeps.
 * An application neither gets them nor sets them. A cookie without a name goes out as its value
 * (RFC 6265bis section 5.8.3): what an application sets as `=coatcheck=x` comes back as `coatcheck=x`.
 */
const OURS = /^[\s=]*(?:__(?:host|secure)-)?coatcheck(?:-\d+)?(?:\.|\s*(?:=|$))/i

/** A `Cookie` header without ours; `undefined` where nothing is left. */
export function withoutOurCookies(header: string): string | undefined {
  if (!/coatcheck/i.test(header)) return header
  const left = header.split(';').filter((part) => !OURS.test(part))
  const rest = left.join(';').trim()
  return rest === '' ? undefined : rest
}

/** `Set-Cookie` lines that an application may write. */
export function withoutSetCookiesOfOurs(lines: string | readonly string[]): string[] {
  return [lines].flat().filter((line) => !OURS.test(line.split(';', 1)[0] ?? ''))
}
