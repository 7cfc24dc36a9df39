// One process of an application, driven by messages. Started by `startProcess` in `processes.ts`.
import { open } from 'lmdb'
import { type AuthEvent, createAuth } from '#coatcheck'
import { environment } from '#coatcheck/core/environment'
import { lmdbStore } from '#coatcheck/stores/lmdb'
import { KEY, ORIGIN } from '../support/application.ts'

/** What a process can be asked. */
export type Question =
  | { readonly ask: 'session' | 'accessToken'; readonly cookie: string }
  | { readonly ask: 'logout'; readonly token: string }
  | { readonly ask: 'sessions'; readonly subject: string }
  | { readonly ask: 'signOut'; readonly subject: string }
  | { readonly ask: 'forward'; readonly milliseconds: number }

/** What it says: an answer to a question, or an event. */
export type Told =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly code: string }
  | { readonly event: AuthEvent }
  | { readonly ready: true }

const { FOLDER = '', ISSUER = '', OFFSET = '0' } = process.env
let offset = Number(OFFSET)
const now = (): number => Date.now() + offset
const auth = createAuth({
  origin: ORIGIN,
  provider: { issuer: ISSUER, clientId: 'app', clientSecret: 'secret' },
  store: lmdbStore(open({ path: FOLDER }), { now }),
  keys: [KEY],
  observe: (event) => tell({ event }),
  [environment]: { now },
})

process.on('message', async ({ number, question }: { number: number; question: Question }) => {
  try {
    tell({ number, answer: await answer(question) })
  } catch (error) {
    tell({ number, code: (error as { code?: string }).code ?? String(error) })
  }
})
process.on('disconnect', () => process.exit())
tell({ ready: true })

async function answer(question: Question): Promise<unknown> {
  switch (question.ask) {
    case 'session':
      return (await auth.session({ headers: { cookie: question.cookie } }))?.subject
    case 'accessToken':
      return (await auth.accessToken({ headers: { cookie: question.cookie } })).value
    case 'logout': {
      const body = new URLSearchParams({ logout_token: question.token })
      const url = `${ORIGIN}/auth/backchannel-logout`
      return (await auth.handle(new Request(url, { method: 'POST', body }))).status
    }
    case 'sessions':
      return (await auth.sessions({ subject: question.subject })).length
    case 'signOut':
      return (await auth.signOut({ subject: question.subject })).removed
    case 'forward':
      offset += question.milliseconds
      return undefined
  }
}

function tell(told: Told): void {
  process.send?.(told)
}
