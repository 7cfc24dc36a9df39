import assert from 'node:assert/strict'
import { it } from 'node:test'
import { environment } from '#coatcheck/core/environment'
import { type Application, settle } from '../support/application.ts'
import { eventually, start } from '../support/requests.ts'

it('workers do no revocation twice where one of them waited long for its turn', async (t) => {
  const app = await start(t)
  const other = app.another({ [environment]: { now: app.clock.now, fetch: asOther(app) } })
  const { clock, provider } = app
  const subjects = Array.from({ length: 12 }, (_, at) => `U${at}`)
  for (const sub of [...subjects, 'bell', 'other bell']) await app.signedIn({ sub })
  const down = provider.next('revocation', { status: 503 }, { times: Number.POSITIVE_INFINITY })
  for (const subject of subjects) await app.auth.signOut({ subject })
  await eventually(() => app.heard('revocation').length === 2 * 12, 'each was tried once')
  down()
  provider.requests.length = 0
  clock.forward(2000)

  // One lists all of them and waits for the answers to the first.
  const hold = provider.hold('revocation')
  await app.auth.signOut({ subject: 'bell' })
  await hold.received(4)
  // Meanwhile the other does the rest.
  await other.signOut({ subject: 'other bell' })
  // The access tokens of those that waited so long are left for another time.
  const confirmed = (): number => app.heard('revocation').filter(isConfirmedRefreshToken).length
  await eventually(() => {
    for (const { request, release } of hold.held) if (request.headers.has('x-other')) release()
    return confirmed() === 14 - 4
  }, 'the other has done the rest')
  // Then its claims are over, and the first goes on.
  clock.forward(125_000)
  hold.release()
  await eventually(() => confirmed() >= 14, 'all are done')
  await settle()
  const asked = provider.requests.flatMap(({ form }) =>
    form.get('token_type_hint') === 'refresh_token' ? (form.get('token') ?? []) : [],
  )
  assert.equal(asked.length, 14)
  assert.equal(new Set(asked).size, 14)
})

function isConfirmedRefreshToken(event: {
  readonly token: string
  readonly outcome: string
}): boolean {
  return event.token === 'refresh_token' && event.outcome === 'confirmed'
}

/** The network of a process that the provider can tell from the first. */
function asOther({ provider }: Application): typeof provider.fetch {
  return (input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('x-other', 'yes')
    return provider.fetch(input, { ...init, headers })
  }
}
