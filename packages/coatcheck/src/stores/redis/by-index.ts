/** Ids by each index that they are under. */
export function byIndex(
  entries: readonly { readonly id: string; readonly indexes: readonly string[] }[],
): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { id, indexes } of entries) {
    for (const index of new Set(indexes)) {
      const ids = groups.get(index)
      if (ids === undefined) groups.set(index, [id])
      else ids.push(id)
    }
  }
  return groups
}
