/** The look of our pages, from settings that were validated when they were set. */
export interface Theme {
  readonly site: string
  /** `#rrggbb`, or empty for the default. */
  readonly accent: string
  readonly accentDark: string
  /** The markup of an SVG, or empty for the default. */
  readonly logo: string
}

/** A CSS string (CSS Syntax section 4.3.5), with quotes and backslashes escaped. */
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

const accentOf = (colour: string, towards: string, ink: string) =>
  colour === ''
    ? ''
    : `--accent: ${colour}; --accent-strong: color-mix(in srgb, ${colour} 80%, ${towards}); --accent-ink: ${ink};`

/** Loaded after the stylesheet. Sets only custom properties and the logo. */
export const themeCss = ({ site, accent, accentDark, logo }: Theme): string => `
:root { --site: ${quoted(site)}; ${accentOf(accent, 'black', '#ffffff')} }
@media (prefers-color-scheme: dark) { :root { ${accentOf(accentDark, 'white', '#14171a')} } }
${
  logo === ''
    ? ''
    : `.door svg { display: none; }
.door::before { content: ''; flex: none; width: 1.75rem; height: 1.75rem; background: url(/.hero_proxy/logo.svg) center / contain no-repeat; }`
}
`
