import type { Session } from 'coatcheck'
import type { IdentityHeaderNames } from '../configuration/configuration.ts'

/** Who is signed in, as plain request headers for the application. */
export function identityHeaders(
  names: IdentityHeaderNames,
  { subject, claims }: Session,
): Record<string, string> {
  const headers: Record<string, string> = {}
  const add = (name: string, value: unknown): void => {
    const text = headerText(value)
    if (text !== undefined) headers[name] = text
  }
  add(names.user, subject)
  add(names.email, claims['email'])
  add(names.preferredUsername, claims['preferred_username'])
  add(names.groups, listOf(claims['groups']))
  return headers
}

/**
 * A value that arrives as it was sent: HTTP drops spaces at its ends and allows no control
 * characters, and two users must not become one by that. What else is not ASCII goes as UTF-8.
 */
function headerText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '' || value !== value.trim()) return undefined
  if (hasControls(value)) return undefined
  return isAscii(value) ? value : Buffer.from(value).toString('latin1')
}

/** A group with a comma in its name would be read as two, one of which the user may not have. */
function listOf(groups: unknown): string | undefined {
  if (!Array.isArray(groups)) return undefined
  return groups
    .filter((group): group is string => headerText(group) !== undefined && !group.includes(','))
    .join(',')
}

function hasControls(value: string): boolean {
  return [...value].some((character) => character < ' ' || character === '\u007f')
}

function isAscii(value: string): boolean {
  return [...value].every((character) => character < '\u007f')
}
