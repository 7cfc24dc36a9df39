// A single-page application behind the gateway, in the browser as it is. It has no token: the
// session is a cookie that no script can read, and the gateway gives the access token to the API.

async function showWho() {
  const { authenticated, name, subject } = await (await fetch('/auth/session')).json()
  const text = authenticated ? `${name ?? subject} is signed in` : 'Nobody is signed in'
  document.querySelector('#who')?.replaceChildren(text)
  document.querySelector('#sign-in')?.toggleAttribute('hidden', authenticated)
  document.querySelector('#signed-in')?.toggleAttribute('hidden', !authenticated)
  return authenticated
}

if (await showWho()) {
  const coats = await fetch('/api/coats')
  document.querySelector('#coats')?.replaceChildren(await coats.text())

  // The gateway closes it when the user signs out: in this tab, in another one, or anywhere else.
  const events = new EventSource('/api/events')
  events.onmessage = ({ data }) => document.querySelector('#news')?.replaceChildren(data)
  events.onerror = async () => {
    if (await showWho()) return
    events.close()
    // Not by loading the page again: the tab of the sign-out is on its way to the provider.
    document.querySelector('#signed-in')?.remove()
  }
}
