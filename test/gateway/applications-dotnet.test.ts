import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { root } from '../../scripts/run.mjs'
import { buildDotnet, startDotnet } from '../servers/dotnet.ts'
import { ownSessions } from './own-sessions.ts'
import { signsOutEverywhere } from './signs-out-everywhere.ts'
import { webSocket } from './under-way.ts'

describe('an ASP.NET Core application behind the gateway', () => {
  let dll = ''
  // Takes longer than all the rest where it was never compiled.
  before(async () => {
    dll = await buildDotnet(join(root, 'examples/gateway/dotnet'))
  })

  it('shows the user, calls an API as the user, and has nothing of either left when the provider or another application signs the user out', async (t) => {
    await signsOutEverywhere(t, {
      name: 'dotnet',
      start: (env) => startDotnet(dll, { env }),
      signIn: '/dotnet',
      page: '/dotnet',
      says: (sub) => `${sub} is signed in`,
      coats: '/dotnet/coats',
      open: (browser, origin) => webSocket(browser, `${origin}/dotnet/socket`),
      sessions: ownSessions,
    })
  })
})
