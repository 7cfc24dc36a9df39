/** Whether it can be a resource indicator (RFC 8707 section 2): absolute, without fragment. */
export function isResource(resource: unknown): resource is string {
  return typeof resource === 'string' && URL.canParse(resource) && !resource.includes('#')
}

/** The same resource. Throws a `TypeError` that says what to write where it can be none. */
export function checkResource(resource: string): string {
  if (isResource(resource)) return resource
  throw new TypeError('A `resource` is an absolute URI without #, such as "https://api.example".')
}
