import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from './rounds.ts'
import type { World } from './world.ts'

/** What may befall the provider. */
export function providerFaults({ provider, faults }: World): readonly Fault[] {
  return [
    {
      kind: 'provider down, with answers in its hands',
      async befall() {
        // It did as it was asked, tokens spent and issued, and does not come to say so.
        const codes = provider.hold('token', { at: 'answer', grant: 'authorization_code' })
        const refreshes = provider.hold('token', { at: 'answer', grant: 'refresh_token' })
        await refreshes.received(2)
        await provider.stop()
        return async () => {
          for (const hold of [codes, refreshes]) {
            for (const { request } of hold.held) faults.unanswered.add(request)
            hold.drop()
          }
          await provider.start()
        }
      },
    },
    {
      kind: 'provider slow: 1.5 s',
      async befall() {
        const slow = async (): Promise<void> => pause(1500)
        const always = { times: Number.POSITIVE_INFINITY }
        const ends = [provider.before('token', slow, always), provider.before('jwks', slow, always)]
        return async () => {
          for (const end of ends) end()
        }
      },
    },
    fault(provider, 'provider answers 500', 500, 'Internal Server Error', 500),
    fault(provider, 'provider answers garbage', 200, '<html>It works!', 418),
  ]
}

/** Instead of doing as it was asked, it answers something else. */
function fault(
  provider: World['provider'],
  kind: string,
  status: number,
  body: string,
  revocation: number,
): Fault {
  return {
    kind,
    async befall() {
      const always = { times: Number.POSITIVE_INFINITY }
      const headers = { 'content-type': 'text/html' }
      const ends = [
        provider.next('token', { status, headers, body }, always),
        // That a revocation is answered 200 means that it was done, whatever else stands there.
        provider.next('revocation', { status: revocation, headers, body }, always),
      ]
      return async () => {
        for (const end of ends) end()
      }
    },
  }
}
