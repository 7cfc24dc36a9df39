/** A resource indicator (RFC 8707 section 2): absolute, without fragment. Throws a `TypeError`. */
export function checkResource(resource: string): string {
  if (typeof resource === 'string' && URL.canParse(resource) && !resource.includes('#')) {
    return resource
  }
  throw new TypeError('A `resource` is an absolute URI without #, such as "https://api.example".')
}
