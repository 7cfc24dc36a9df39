import type { AuthEvent, SignOutReceipt } from 'coatcheck'
import type { CacheView, Held, SessionView } from './cache-view.ts'
import { type Html, html } from './pages.ts'

/** The live part of a page: what the cache of one process holds, and what the process heard. */
export function panel(view: CacheView): Html {
  const tokens = view.sessions.flatMap((session) => session.holds)
  const count = (kind: Held['kind']): number => tokens.filter((one) => one.kind === kind).length
  return html`<h2>${view.process} <span class="soft">pid ${view.pid}</span></h2>
    <ul class="counts">${counted(view.sessions.length, 'session')}
      ${counted(count('access_token'), 'access token')}
      ${counted(count('refresh_token'), 'refresh token')}
      ${counted(count('id_token'), 'ID token')}</ul>
    ${view.sessions.map(sessionTable)}
    <h3>What it heard</h3>
    ${view.events.length === 0 ? html`<p class="soft">Nothing yet.</p>` : ''}
    <ol class="events">${view.events.map(
      ({ at, event }) =>
        html`<li ${event.type === 'signed_out' ? { html: 'class="receipt"' } : ''}><time>${clock(at)}</time>${describe(event)}</li>`,
    )}</ol>`
}

/**
 * Keeps the panels of a page fresh, and tells its user when the session has ended. Without
 * scripts, the page shows all as it was.
 */
export const panelScript = `
const notice = document.querySelector('#signed-out')
if (notice) {
  const ask = async () => {
    const { authenticated = true } = await fetch('/auth/session').then((a) => a.json()).catch(() => ({}))
    notice.hidden = authenticated
    if (authenticated) setTimeout(ask, 700)
  }
  ask()
}
for (const panel of document.querySelectorAll('[data-panel]')) {
  const refresh = async () => {
    try {
      const answer = await fetch(panel.dataset.panel)
      if (!answer.ok) throw answer
      const scrolled = panel.querySelector('.events')?.scrollTop ?? 0
      panel.innerHTML = await answer.text()
      panel.querySelector('.events').scrollTop = scrolled
    } catch { panel.textContent = 'No answer.' }
    setTimeout(refresh, 700)
  }
  refresh()
}
`

function counted(count: number, what: string): Html {
  return html`<li ${count === 0 ? { html: 'class="none"' } : ''}><b>${count}</b> ${what}${count === 1 ? '' : 's'}</li>`
}

function sessionTable(session: SessionView): Html {
  return html`<h3>${session.who}'s session</h3><table>
    ${session.holds.map(
      (held) => html`<tr><td>${kindOf(held)}</td><td>${until(held.expiresAt)}</td></tr>`,
    )}
    <tr><td class="soft">the session itself</td><td>${until(session.expiresAt)}</td></tr></table>`
}

function kindOf({ kind, resource }: Held): Html {
  if (kind === 'refresh_token') return html`refresh token`
  if (kind === 'id_token') return html`ID token`
  return html`access token <span class="soft">for ${resource ?? 'the provider'}</span>`
}

function until(expiresAt: number | undefined): string {
  if (expiresAt === undefined) return 'until used or revoked'
  const seconds = Math.round((expiresAt - Date.now()) / 1000)
  if (seconds <= 0) return 'expired'
  return seconds < 180 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

function clock(at: number): string {
  return new Date(at).toLocaleTimeString('en-GB')
}

function describe(event: AuthEvent): Html {
  switch (event.type) {
    case 'signed_in':
      return html`A user signed in.`
    case 'signed_out':
      return receipt(event.receipt)
    case 'refreshed':
      return html`A session's access token was refreshed.`
    case 'refresh_lost':
      return html`<strong>A refresh came back after the sign-out</strong>: what it brought is revoked, not kept.`
    case 'revocation':
      return html`The provider was asked to revoke ${an(event.token)}: ${outcomes[event.outcome]}${
        event.attempts > 1 ? ` (attempt ${event.attempts})` : ''
      }.`
    case 'logout_refused':
      return html`<span class="bad">A logout token was refused</span>: ${event.reason}.`
    case 'logout_repeated':
      return html`A logout token came a second time: nothing happened.`
    default:
      return html`${event.type.replaceAll('_', ' ')}${'code' in event ? `: ${event.code}` : ''}`
  }
}

function receipt(one: SignOutReceipt): Html {
  const { access, refresh, id } = one.tokens
  return html`<strong>Signed out</strong> (${causes[one.cause]}): ${one.removed} removed, with ${access} access,
    ${refresh} refresh and ${id} ID tokens, in ${Math.ceil(one.durationMilliseconds)} ms.
    <span class="soft">${one.revocationsOwed} to be revoked. Receipt\u00a0${one.id}.</span>`
}

const causes: Readonly<Record<SignOutReceipt['cause'], string>> = {
  user: 'by the user, here',
  back_channel: 'told by the provider, back-channel',
  front_channel: 'told in the browser, front-channel',
  administrator: 'by an administrator',
  security_event: 'by a security event',
  provider_refused: 'the provider refused a refresh',
  expired: 'it ran out',
  not_revalidated: 'the provider could not confirm it',
  replaced: 'the same browser signed in again',
}

const outcomes = {
  confirmed: html`<strong>confirmed</strong>`,
  unsupported: html`it does not do that for this kind, which runs out by itself`,
  failed: html`<span class="bad">it failed</span>, to be tried again`,
  abandoned: html`<span class="bad">given up</span>`,
}

function an(token: 'access_token' | 'refresh_token'): string {
  return token === 'access_token' ? 'an access token' : 'a refresh token'
}
