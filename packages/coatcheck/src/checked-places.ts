import type { Place } from './places.ts'

const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

/** The places, checked. Throws a `TypeError` that says what to write. */
export function checkPlaces(places: unknown): readonly Place[] {
  if (!Array.isArray(places)) {
    throw new TypeError(
      '`places` must be a list, such as `[{ name: "mail-cache", end: async (ended) => … }]`.',
    )
  }
  const names = new Set<string>()
  for (const [at, place] of (places as Partial<Place>[]).entries()) {
    const name = place?.name
    if (typeof name !== 'string' || !NAME.test(name)) {
      throw new TypeError(
        `\`places[${at}].name\` must be lower-case letters, digits and hyphens, such as "mail-cache".`,
      )
    }
    if (names.has(name)) {
      throw new TypeError(
        `\`places[${at}].name\` is "${name}", as that of an earlier one: give each its own.`,
      )
    }
    if (typeof place?.end !== 'function') {
      throw new TypeError(
        `\`places[${at}].end\` must be a function that ends what is in the place "${name}".`,
      )
    }
    names.add(name)
  }
  return [...places]
}
