/** The Cluster slot of a key: CRC16 of its hash tag, or of all of it (Redis Cluster specification, "Key distribution model"). */
export function slotOf(key: string): number {
  return crc16(Buffer.from(hashTag(key))) % 16384
}

function hashTag(key: string): string {
  const start = key.indexOf('{')
  const end = start < 0 ? -1 : key.indexOf('}', start + 1)
  return end > start + 1 ? key.slice(start + 1, end) : key
}

/** CRC-16/XMODEM, bit by bit: a key is short, and only confirmations ask. */
function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) {
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff
    }
  }
  return crc
}
