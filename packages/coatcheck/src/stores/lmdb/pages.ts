/*
 * LMDB keeps a row that is larger than about half a page in whole pages of its own: 4.3 KB on
 * pages of 4 KB would take 8 KB. So as much as fills pages exactly goes into one row, and what is
 * left over into rows so small that they fill a page between them (decision in numbers: 20 000
 * sessions of 4.3 KB took 2.07 times their bytes before, 1.18 times after).
 */

/** Of the first page of a large row, and of each page of small rows. */
const PAGE_HEADER = 24
/** Row header, place in the page, and the key of a part. */
const ROW_HEADER = 18
const ROWS_PER_PAGE = 8

/** Where to cut so many bytes: the end of each part. */
export function cut(length: number, pageSize: number): number[] {
  const small = Math.floor((pageSize - PAGE_HEADER) / ROWS_PER_PAGE / 2) * 2 - ROW_HEADER
  // What would need a page's worth of small rows gets the page.
  const pages = Math.floor((length + PAGE_HEADER + small - 1) / pageSize)
  const ends = pages === 0 ? [] : [Math.min(pages * pageSize - PAGE_HEADER, length)]
  for (let at = ends[0] ?? 0; at < length; ) {
    at = Math.min(at + small, length)
    ends.push(at)
  }
  return ends
}
