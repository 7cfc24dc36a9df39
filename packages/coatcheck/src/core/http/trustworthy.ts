/**
 * Whether secrets may travel to this URL: over https, or over http to this very machine
 * (RFC 6761 section 6.3, RFC 8252 section 8.3).
 */
export function isTrustworthy(url: URL): boolean {
  if (url.protocol === 'https:') return true
  return url.protocol === 'http:' && isLoopback(url.hostname)
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '[::1]' ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
  )
}
