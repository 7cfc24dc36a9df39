// A single-page application behind the gateway, in the browser as it is. It has no token: the
// session is a cookie that no script can read, and the gateway gives the access token to the API.
const who = await (await fetch('/auth/session')).json()
const text = who.authenticated ? `${who.name ?? who.subject} is signed in` : 'Nobody is signed in'
document.querySelector('#who')?.replaceChildren(text)
document.querySelector('#sign-in')?.toggleAttribute('hidden', who.authenticated)
document.querySelector('#sign-out')?.toggleAttribute('hidden', !who.authenticated)

if (who.authenticated) {
  const coats = await fetch('/api/coats')
  document.querySelector('#coats')?.replaceChildren(await coats.text())

  // The gateway closes it when the user signs out: in this tab, in another one, or anywhere else.
  const events = new EventSource('/api/events')
  events.onmessage = ({ data }) => document.querySelector('#news')?.replaceChildren(data)
  events.onerror = async () => {
    const { authenticated } = await (await fetch('/auth/session')).json()
    if (!authenticated) location.reload()
  }
}
