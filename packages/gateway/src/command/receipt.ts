import type { SignOutReceipt } from 'coatcheck'
import type { RevocationOutcomes } from './revocations.ts'

/** A receipt for people. */
export function receiptText(receipt: SignOutReceipt, revocations: RevocationOutcomes): string {
  const { removed, tokens } = receipt
  const sessions = removed === 1 ? '1 session' : `${removed} sessions`
  return [
    removed === 0
      ? 'Nothing was there to be removed. A sign-in under way is refused all the same, unless a session was named.'
      : `Signed out: ${sessions}. Gone are ${tokens.access} access, ${tokens.refresh} refresh and ${tokens.id} ID tokens.`,
    revocationLine(revocations),
    ...placeLines(receipt),
    `Receipt ${receipt.id}, ${new Date(receipt.at).toISOString()}, in ${Math.round(receipt.durationMilliseconds)} ms.`,
  ].join('\n')
}

/** What the provider answered. */
export function revocationLine({ confirmed, unsupported, owed }: RevocationOutcomes): string {
  if (confirmed + unsupported + owed === 0) return 'Nothing has to be revoked at the provider.'
  const parts = [
    `${confirmed} confirmed`,
    ...(unsupported > 0 ? [`${unsupported} not possible at this provider`] : []),
    ...(owed > 0 ? [`${owed} owed: the gateway goes on until the provider confirms`] : []),
  ]
  return `Revocations at the provider: ${parts.join(', ')}.`
}

function placeLines(receipt: SignOutReceipt): string[] {
  return (receipt.places ?? []).map(({ name, outcome, removed }) => {
    if (outcome === 'done' && removed === undefined && isCache(name)) {
      return `${name}: nobody was looked for there, since no session had the user’s oid and tid (ID token, or UserInfo by provider.userInfo).`
    }
    const what = removed === undefined ? '' : `, ${removed} removed there`
    return `${name}: ${outcome === 'done' ? 'told' : 'owed: the gateway goes on until it is told'}${what}.`
  })
}

/** As the configuration names the caches of Microsoft's libraries; they say what they removed if they looked. */
function isCache(place: string): boolean {
  return place === 'msal' || place.startsWith('msal-')
}
