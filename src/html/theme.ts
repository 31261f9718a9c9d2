/** What an operator can make of our pages, from settings that were checked when they were set. */
export interface Theme {
  readonly site: string
  /** `#rrggbb`, or empty for ours. */
  readonly accent: string
  readonly accentDark: string
  /** Markup of an SVG, or empty for ours. */
  readonly logo: string
}

/** A CSS string (CSS Syntax section 4.3.5): the quotes and backslashes of the name end nothing. */
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`

const accentOf = (colour: string, towards: string, ink: string) =>
  colour === ''
    ? ''
    : `--accent: ${colour}; --accent-strong: color-mix(in srgb, ${colour} 80%, ${towards}); --accent-ink: ${ink};`

/** Set over the stylesheet: only custom properties, and the picture. */
export const themeCss = ({ site, accent, accentDark, logo }: Theme): string => `
:root { --site: ${quoted(site)}; ${accentOf(accent, 'black', '#ffffff')} }
@media (prefers-color-scheme: dark) { :root { ${accentOf(accentDark, 'white', '#14171a')} } }
${
  logo === ''
    ? ''
    : `.door svg { display: none; }
.door::before { content: ''; flex: none; width: 1.75rem; height: 1.75rem; background: url(/auth/logo.svg) center / contain no-repeat; }`
}
`
