/** What usually stands behind a failure. */
export function adviceFor(failed: string): string {
  if (failed === 'ECONNREFUSED') return 'nobody listens there'
  if (failed === 'ENOTFOUND' || failed === 'EAI_AGAIN')
    return 'its name is not known here: look at DNS'
  if (failed === 'timeout') {
    return 'it does not answer: look at firewalls and proxies in between, and whether both ends speak TLS'
  }
  const said = OF_REDIS[failed]
  if (said !== undefined) return said
  if (failed === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'its certificate is for another name: write the one that is in it'
  }
  // OpenSSL's word for an answer that is not TLS.
  if (failed === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return 'it does not speak TLS there, but perhaps plain http: write http://, or the port that speaks TLS'
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(failed)) {
    return 'its certificate is not accepted here: let this process trust who issued it (NODE_EXTRA_CA_CERTS, or `tls.ca` of a Redis)'
  }
  return 'it does not answer'
}

/** What a Redis says in words. */
const OF_REDIS: Readonly<Record<string, string>> = {
  WRONGPASS: 'it wants another `username` or `password`',
  NOAUTH: 'it wants a `password`',
  NO_SUCH_MASTER: 'its Sentinels know no such `masterName`',
  NO_CLUSTER: 'it is not part of a Cluster: write `url`',
  NO_SUCH_DATABASE: 'it has no `database` of this number',
}
