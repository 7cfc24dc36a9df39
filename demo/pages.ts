/** Text that is HTML already. */
export interface Html {
  readonly html: string
}

/** A template whose values are escaped, unless they are {@link Html} themselves. */
export function html(strings: TemplateStringsArray, ...values: readonly unknown[]): Html {
  return { html: strings.map((string, at) => string + text(values[at])).join('') }
}

/** Which of the demo's sites a page belongs to. */
export interface Site {
  readonly name: string
  readonly subtitle: string
  /** A hue of the colour wheel, in degrees. */
  readonly hue: number
  /** Its pages hold one thing each. */
  readonly narrow?: boolean
}

/** One page: the same frame for the provider and both applications. */
export function page(site: Site, title: string, body: Html, script = ''): string {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · ${site.name}</title>
<link rel="icon" href="data:,">
<style>:root { --hue: ${site.hue} }${{ html: style }}</style>
<header><div><strong>${site.name}</strong><span>${site.subtitle}</span></div></header>
<main${site.narrow ? { html: ' class="narrow"' } : ''}>${body}</main>
${script === '' ? '' : { html: `<script type="module">${script}</script>` }}
</html>
`.html
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function text(value: unknown): string {
  if (value === undefined || value === null || value === false) return ''
  if (Array.isArray(value)) return value.map(text).join('')
  if (typeof value === 'object' && 'html' in value) return String(value.html)
  return String(value).replace(/[&<>"']/g, (character) => entities[character] ?? character)
}

const style = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1d2327, #e8e6e1); --soft: light-dark(#5c666d, #a3a9ad);
  --paper: light-dark(#f6f4ef, #16191b); --card: light-dark(#fffefb, #1f2426);
  --line: light-dark(#e2ddd2, #343b3e);
  --accent: light-dark(hsl(var(--hue) 55% 32%), hsl(var(--hue) 55% 70%));
  --wash: light-dark(hsl(var(--hue) 45% 94%), hsl(var(--hue) 25% 18%));
  --bad: light-dark(#a3261b, #f0897f);
}
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper) }
header { background: var(--wash); border-bottom: 3px solid var(--accent) }
header div, main { max-width: 76rem; margin: 0 auto; padding: .7rem 1.25rem }
header strong { font-size: 1.2rem; color: var(--accent); margin-right: .8rem }
header span, .soft { color: var(--soft) }
main { display: grid; gap: 1rem; padding-block: 1rem 1.5rem }
main.narrow { max-width: 36rem; padding-top: 3.5rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .9rem 1.2rem 1rem;
  min-width: 0; overflow-wrap: anywhere }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .2rem } h2 { font-size: 1.05rem; margin: 0 0 .3rem }
main > h2 { margin: .2rem 0 -.5rem }
h3 { font-size: .78rem; text-transform: uppercase; letter-spacing: .05em; color: var(--soft); margin: .8rem 0 .25rem }
p { margin: .25rem 0 } a { color: var(--accent) }
.row { display: flex; flex-wrap: wrap; gap: .6rem; align-items: center; margin: .6rem 0 }
.row:last-child { margin-bottom: 0 }
.two { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)) }
form { margin: 0 }
button, .button { font: inherit; cursor: pointer; display: inline-block; text-decoration: none; padding: .4rem .95rem;
  border-radius: .4rem; border: 1px solid var(--accent); background: transparent; color: var(--accent) }
.main, button.main { background: var(--accent); color: var(--card) }
.person { width: 100%; text-align: left; padding: .8rem 1rem; font-size: 1.1rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
td { padding: .22rem .5rem .22rem 0; border-top: 1px solid var(--line); vertical-align: top; width: 100% }
td:last-child { text-align: right; padding-right: 0; white-space: nowrap; color: var(--soft); width: auto }
.counts { display: grid; grid-template-columns: repeat(4, 1fr); gap: .5rem; list-style: none; padding: 0; margin: .5rem 0 0 }
.counts li { background: var(--wash); border-radius: .4rem; padding: .45rem .6rem; font-size: .82rem; line-height: 1.25; color: var(--soft) }
.counts b { display: block; font-size: 1.7rem; font-weight: 500; line-height: 1.15; color: var(--accent); font-variant-numeric: tabular-nums }
.counts .none { background: transparent; box-shadow: inset 0 0 0 1px var(--line) } .counts .none b { color: var(--soft) }
dl { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .5rem 0 0; font-size: .9rem }
dt, dd { display: inline; margin: 0 } dt { color: var(--soft); margin-right: .4rem }
ol.events { list-style: none; padding: 0; margin: 0; font-size: .88rem; max-height: 15rem; overflow: auto }
ol.events li { padding: .25rem 0; border-top: 1px solid var(--line) }
ol.events time { color: var(--soft); margin-right: .5rem; font-variant-numeric: tabular-nums }
ol.events li.receipt { border-left: 3px solid var(--accent); padding: .25rem .6rem; background: var(--wash) }
pre { margin: .4rem 0 0; padding: .7rem; border-radius: .4rem; background: var(--wash); overflow: auto; font-size: .85rem }
.bad { color: var(--bad) }
.notice { color: var(--bad); background: var(--card); border: 1px solid; border-radius: .6rem; padding: .6rem 1.2rem; margin: 0 }
.notice:not([hidden]) ~ .now section > :not(.row) { opacity: .55 }
iframe { width: 100%; height: 4.5rem; border: 1px dashed var(--line); border-radius: .4rem; background: #fff }
`
