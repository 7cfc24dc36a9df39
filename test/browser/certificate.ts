import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

/** A key and a certificate for one host name that nobody else signed (RFC 5280), valid for a day. */
export function selfSigned(host: string): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(commonName, utf8(host))))
  const unsigned = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    sequence(ecdsaWithSha256),
    name,
    sequence(time(Date.now() - 3_600_000), time(Date.now() + 86_400_000)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, sequence(sequence(subjectAltName, octets(sequence(dnsName(host)))))),
  )
  const signature = createSign('sha256').update(unsigned).sign(privateKey)
  const bits = tagged(0x03, Buffer.from([0]), signature)
  const der = sequence(unsigned, sequence(ecdsaWithSha256), bits)
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`,
  }
}

// Object identifiers, as DER has them.
const ecdsaWithSha256 = Buffer.from('06082a8648ce3d040302', 'hex')
const commonName = Buffer.from('0603550403', 'hex')
const subjectAltName = Buffer.from('0603551d11', 'hex')

function tagged(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  // DER wants the shortest form, and BoringSSL insists.
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  const size = length < 128 ? [length] : long
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x30, ...parts)
}

function set(...parts: readonly Uint8Array[]): Buffer {
  return tagged(0x31, ...parts)
}

function explicit(position: number, part: Uint8Array): Buffer {
  return tagged(0xa0 + position, part)
}

function integer(bytes: Uint8Array): Buffer {
  return tagged(0x02, bytes)
}

function octets(bytes: Uint8Array): Buffer {
  return tagged(0x04, bytes)
}

function utf8(text: string): Buffer {
  return tagged(0x0c, Buffer.from(text))
}

function dnsName(text: string): Buffer {
  return tagged(0x82, Buffer.from(text))
}

/** UTCTime: `YYMMDDHHMMSSZ`. */
function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]/g, '').slice(2, 14)
  return tagged(0x17, Buffer.from(`${digits}Z`))
}
