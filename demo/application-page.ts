import type { Session } from 'coatcheck'
import type { ApiAnswer } from './application.ts'
import { type Html, html, page, type Site } from './pages.ts'
import { panelScript } from './panel.ts'
import { people } from './provider-pages.ts'

/** What an application's only page shows. */
export interface ApplicationPage {
  readonly site: Site
  readonly session: Session | undefined
  readonly signInPath: string
  /** The other sites, to go there. */
  readonly links: readonly { readonly name: string; readonly url: string }[]
  /** One for each process: where its panel comes from, and how it looks now where that is known. */
  readonly panels: readonly { readonly path: string; readonly now?: Html | undefined }[]
  /** Which process answered. */
  readonly answeredBy: string
  /** What the API said, where it was asked. */
  readonly answer?: ApiAnswer | undefined
}

/** The page of A and of B. */
export function applicationPage(shown: ApplicationPage): string {
  return page(
    shown.site,
    shown.session === undefined ? 'Welcome' : String(shown.session.claims['name']),
    html`${shown.session === undefined ? '' : notice(shown.site)}
      <div class="two now">
        <section>${shown.session === undefined ? signedOut(shown) : signedIn(shown.session)}
          <p class="soft">${shown.answeredBy} answered this request.</p></section>
        <section><h2>What the API said</h2>${
          shown.answer === undefined
            ? html`<p class="soft">Nothing yet. It wants an access token, which never leaves the server.</p>`
            : answered(shown.answer)
        }</section>
      </div>
      <h2>What the cache holds</h2>
      <div class="two">${shown.panels.map(
        ({ path, now }) =>
          html`<section data-panel="${path}">${
            now ?? html`<p><a href="${path}">Another process</a> has its own view of it.</p>`
          }</section>`,
      )}</div>
      <div class="two">
        <section><h2>Administrator</h2>
          <p class="soft">Ends every session a user has at this application.</p>
          <div class="row">${people.map(
            ({ id, name }) => html`<form method="post" action="/administrator/sign-out">
              <button name="subject" value="${id}">Sign ${name} out</button></form>`,
          )}</div></section>
        <section><h2>Elsewhere</h2>
          <p class="soft">Sign in there too, then sign out in either.</p>
          <div class="row">${shown.links.map(({ name, url }) => html`<a class="button" href="${url}">${name}</a>`)}</div></section>
      </div>`,
    panelScript,
  )
}

/** Shown by the page's script when the session has ended. */
function notice({ name }: Site): Html {
  return html`<p id="signed-out" class="notice" role="status" hidden><strong>You were signed out somewhere else.</strong>
    ${name} keeps no token of yours any more. This page is from before.</p>`
}

function signedIn(session: Session): Html {
  const since = new Date(session.establishedAt).toLocaleTimeString('en-GB')
  return html`<h1>Hello, ${session.claims['name']}</h1>
    <p>You have been signed in here since ${since}.</p>
    <div class="row">
      <a class="button main" href="/call">Call the API</a>
      <a class="button" href="/call?fresh=1">Refresh, then call</a>
      <form method="post" action="/auth/sign-out">
        <input type="hidden" name="return_to" value="/"><button>Sign out</button></form>
    </div>`
}

function signedOut({ signInPath, site }: ApplicationPage): Html {
  return html`<h1>You are not signed in</h1>
    <p>${site.name} keeps no token of yours.</p>
    <div class="row"><a class="button main" href="${signInPath}">Sign in</a></div>`
}

/** The API's JSON, one member beside the other; anything else as it came. */
function answered({ status, body }: ApiAnswer): Html {
  if (status !== 200) return html`<p>Status ${status}</p><pre>${body}</pre>`
  const members = Object.entries(JSON.parse(body) as Record<string, unknown>)
  return html`<p>Status ${status}</p><dl>${members.map(
    ([name, value]) =>
      html`<div><dt>${name}</dt><dd>${Array.isArray(value) ? value.join(', ') : value}</dd></div>`,
  )}</dl>`
}
