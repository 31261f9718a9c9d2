import type { Catalogue } from '../strings/catalogue.ts'
import { html, type Html } from './html.ts'
import { styleVersion } from './style.ts'

const mark = html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="M5 21V5.5A2.5 2.5 0 0 1 7.5 3h9A2.5 2.5 0 0 1 19 5.5V21"/><path d="M3 21h18"/><path d="M9 21V7.2a.7.7 0 0 1 .86-.68l4.6 1.1a.7.7 0 0 1 .54.68V21"/><path d="M12.2 13.5v1"/></svg>`

/** The host in the address bar, on some pages after the name of the installation. */
export type Place = string | { readonly site: string; readonly host: string }

const placeLine = (place: Place): Html =>
  typeof place === 'string'
    ? html`<span>${place}</span>`
    : html`<span><strong>${place.site}</strong><br>${place.host}</span>`

/** For pages that people may keep on the screen of their phone. */
export const manifestLink = html`<link rel="manifest" href="/auth/manifest.webmanifest">`

/** A complete page around one card. */
export const page = (
  { lang, dir }: Pick<Catalogue, 'lang' | 'dir'>,
  title: string,
  place: Place,
  card: Html,
  head?: Html,
): string =>
  html`<!doctype html>
<html lang="${lang}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${title}</title>
<link rel="stylesheet" href="/.hero_proxy/style.css?v=${styleVersion}">
<link rel="stylesheet" href="/.hero_proxy/theme.css">
<link rel="icon" href="/.hero_proxy/icon.svg" type="image/svg+xml">
${head}</head>
<body>
<main>
<section class="card">
<p class="door">${mark}${placeLine(place)}</p>
${card}
</section>
</main>
<footer></footer>
</body>
</html>
`.text

export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#1f5f99" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"><path d="M5 21V5.5A2.5 2.5 0 0 1 7.5 3h9A2.5 2.5 0 0 1 19 5.5V21"/><path d="M3 21h18"/><path d="M12 13v2"/></svg>`
