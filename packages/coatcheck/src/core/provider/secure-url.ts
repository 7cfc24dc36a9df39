/**
 * Whether a URL may be asked or visited: https, or http where the name itself says that it never
 * leaves this machine (RFC 6761 section 6.3, RFC 8252 section 8.3).
 */
export function isSecureUrl(url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

/** Whether a host name, as `URL` writes it, is of this machine: it is never looked up. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname)
  )
}
