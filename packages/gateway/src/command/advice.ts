/** What usually stands behind a failure. */
export function adviceFor(failed: string): string {
  if (failed === 'ECONNREFUSED') return 'nobody listens there'
  if (failed === 'ENOTFOUND' || failed === 'EAI_AGAIN')
    return 'its name is not known here: look at DNS'
  if (failed === 'timeout') return 'it does not answer: look at firewalls and proxies in between'
  // OpenSSL's word for an answer that is not TLS.
  if (failed === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return 'it does not speak TLS there, but perhaps plain http: write http://, or the port that speaks TLS'
  }
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(failed)) {
    return 'its certificate is not accepted here: let this process trust who issued it (NODE_EXTRA_CA_CERTS)'
  }
  return 'it does not answer'
}
