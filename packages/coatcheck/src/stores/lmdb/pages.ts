/*
 * LMDB keeps a row that is larger than about half a page in whole pages of its own: 4.3 KB on
 * pages of 4 KB would take 8 KB. So as much as fills pages exactly goes into one row, and what is
 * left over into rows small enough that many fit a page.
 */

/** Of the first page of a large row, and of each page of small rows. */
const PAGE_HEADER = 24
/** Row header, place in the page, and the key of a part. */
const ROW_HEADER = 18
const ROWS_PER_PAGE = 8

/** Where to cut so many bytes: the end of each part. */
export function cut(length: number, pageSize: number): number[] {
  const pages = Math.floor((length + PAGE_HEADER) / pageSize)
  const ends = pages === 0 ? [] : [pages * pageSize - PAGE_HEADER]
  const small = Math.floor((pageSize - PAGE_HEADER) / ROWS_PER_PAGE / 2) * 2 - ROW_HEADER
  for (let at = ends[0] ?? 0; at < length; ) {
    at = Math.min(at + small, length)
    ends.push(at)
  }
  return ends
}
