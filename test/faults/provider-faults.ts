import { setTimeout as pause } from 'node:timers/promises'
import type { ProviderRequest } from '#coatcheck/testing/provider/exchange'
import type { Hold } from '#coatcheck/testing/provider/holds'
import { until } from '../servers/until.ts'
import type { Fault } from './rounds.ts'
import type { World } from './world.ts'

/** What may befall the provider. */
export function providerFaults(world: World): readonly Fault[] {
  const { provider, faults } = world
  return [
    {
      kind: 'provider down, with answers in its hands',
      async befall() {
        // It did as it was asked, tokens spent and issued, and does not come to say so.
        const codes = provider.hold('token', { at: 'answer', grant: 'authorization_code' })
        const refreshes = provider.hold('token', { at: 'answer', grant: 'refresh_token' })
        await heldForWhoStays(world, refreshes)
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

/**
 * Waits until the provider has rotated the refresh token of somebody who stays, and waits itself.
 * Others may sign out before it shows what became of their session.
 */
export async function heldForWhoStays(world: World, hold: Hold): Promise<ProviderRequest> {
  const { provider, seats } = world
  const isTheirs = ({ form }: ProviderRequest): boolean => {
    const value = form.get('refresh_token')
    const sid = provider.issued.find((issued) => issued.value === value)?.sid
    return seats.some(({ stays, session }) => stays && session?.sid === sid)
  }
  return until('somebody who stays has a token renewed', () =>
    hold.held.map(({ request }) => request).find(isTheirs),
  )
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
