/**
 * The name of an application in receipts and in what is owed: lower-case letters, digits and hyphens.
 * Several names of applications can come to the same.
 */
export function placeName(name: string): string {
  return PREFIX + name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}

const PREFIX = 'application-'

/** So long may the name of an application be that is told of sign-outs. */
export const LONGEST_PLACE: number = 64 - PREFIX.length
