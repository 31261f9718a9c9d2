import { hash } from 'node:crypto'

/** The stylesheet. A theme changes its custom properties. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #f6f5f2;
  --card: #ffffff;
  --ink: #1d2329;
  --soft: #59636e;
  --line: #d5d8dc;
  --field: #ffffff;
  --field-line: #868f99;
  --accent: #1f5f99;
  --accent-ink: #ffffff;
  --accent-strong: #174a78;
  --wrong: #a3262a;
  --wrong-paper: #fdf1f0;
  --chip: #eef1f4;
  --radius: 0.75rem;
  --font: system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'Liberation Sans', sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171a;
    --card: #1d2125;
    --ink: #e8eaed;
    --soft: #a3acb6;
    --line: #343a41;
    --field: #15181b;
    --field-line: #7b858f;
    --accent: #8cc0ee;
    --accent-ink: #0d2236;
    --accent-strong: #b3d6f5;
    --wrong: #ff9d97;
    --wrong-paper: #3a1f1f;
    --chip: #2a3036;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { font: 100%/1.5 var(--font); background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: grid; grid-template-rows: 1fr auto; }
main { width: min(26rem, 100% - 2rem); margin: auto; padding: 2.5rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: var(--radius); padding: 2rem 1.75rem; }
@media (max-width: 24rem) { .card { padding: 1.5rem 1.125rem; } }
.door { display: flex; align-items: center; gap: 0.6rem; margin: 0 0 1.5rem; color: var(--soft); font-size: 0.9375rem; overflow-wrap: anywhere; }
.door svg { flex: none; width: 1.5rem; height: 1.5rem; color: var(--accent); }
h1 { margin: 0 0 0.35rem; font-size: 1.5rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; text-wrap: balance; }
p { margin: 0 0 1rem; }
.lead { color: var(--soft); }
label { display: block; margin: 1.1rem 0 0.35rem; font-weight: 550; font-size: 0.9375rem; }
.hint { margin: 0.35rem 0 0; color: var(--soft); font-size: 0.875rem; }
label.box { display: flex; gap: 0.5rem; align-items: baseline; font-weight: normal; }
label.box input { width: auto; min-height: 0; flex: none; }
input, select, textarea {
  width: 100%; min-height: 2.75rem; padding: 0.5rem 0.75rem; font: inherit; color: inherit;
  background: var(--field); border: 1px solid var(--field-line); border-radius: 0.5rem;
}
button, .button {
  display: block; width: 100%; min-height: 2.75rem; margin-top: 1.5rem; padding: 0.5rem 1rem; font: inherit; font-weight: 600;
  text-align: center; text-decoration: none; color: var(--accent-ink); background: var(--accent); border: 1px solid transparent;
  border-radius: 0.5rem; cursor: pointer;
}
button:hover, .button:hover { background: var(--accent-strong); }
.quiet { color: var(--ink); background: transparent; border-color: var(--field-line); }
.quiet:hover { background: var(--chip); }
.danger { color: var(--card); background: var(--wrong); }
.danger:hover { background: var(--wrong); text-decoration: underline; }
.quiet.danger { color: var(--wrong); background: transparent; border-color: currentcolor; }
.quiet.danger:hover { background: var(--wrong-paper); }
.about { margin: 1.1rem 0; padding: 0.8rem 0.9rem; border: 1px solid var(--line); border-radius: 0.5rem; overflow-wrap: anywhere; }
.about p, .about ul { margin: 0; }
.next { margin: 1.5rem 0 0; }
.keep { margin-top: 1.5rem; }
.keep p { margin: 0.5rem 0 0; min-height: 1.5rem; }
[hidden] { display: none !important; }
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.notice { margin: 1.1rem 0 0; padding: 0.7rem 0.9rem; border-radius: 0.5rem; color: var(--wrong); background: var(--wrong-paper); border: 1px solid currentcolor; }
dl { margin: 1.25rem 0 0; display: grid; grid-template-columns: auto 1fr; gap: 0.45rem 1.25rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.banner { margin: 0 0 1.5rem; padding: 0.8rem 0.9rem 0.9rem; border-radius: 0.5rem; background: var(--chip); border: 2px solid var(--accent); }
.banner p { margin: 0; overflow-wrap: anywhere; }
.banner button { margin-top: 0.7rem; background: var(--card); }
.claims { list-style: none; display: flex; flex-wrap: wrap; gap: 0.35rem; margin: 0; padding: 0; }
code, .claims li, strong { unicode-bidi: isolate; }
code, .claims li { font: 0.8125rem/1.5 ui-monospace, 'SF Mono', Menlo, 'DejaVu Sans Mono', 'Liberation Mono', monospace; }
.claims li { padding: 0.1rem 0.5rem; border-radius: 1rem; background: var(--chip); overflow-wrap: anywhere; }
.door strong { color: var(--ink); font-size: 1.0625rem; }
.wrong { margin: 0.35rem 0 0; color: var(--wrong); font-size: 0.9375rem; }
[aria-invalid='true'] { border-color: var(--wrong); }
.reveal { width: auto; min-height: 0; margin: 0.35rem 0 0; padding: 0.15rem 0.5rem; font-size: 0.875rem; font-weight: 400; color: var(--accent); background: transparent; border-color: var(--line); }
.reveal:hover { background: var(--chip); }
.reveal[aria-pressed='true'] { color: var(--accent-ink); background: var(--accent); }
.reveal[hidden] { display: none; }
.way { position: relative; }
.last { position: absolute; inset-block-start: -0.7rem; inset-inline-end: 0.75rem; padding: 0 0.5rem; border: 1px solid var(--field-line); border-radius: 1rem; font-size: 0.8125rem; background: var(--card); color: var(--ink); }
.others:not(:has(a, form:not([hidden]))) { display: none; }
.others button, .others .button { margin-top: 1rem; }
.ways { list-style: none; margin: 1.25rem 0 0; padding: 0; display: grid; gap: 0.5rem; font-size: 0.9375rem; }
.pages { margin: 0 0 1.5rem; padding: 0 0 0.75rem; border-bottom: 1px solid var(--line); }
.pages ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0.15rem 1rem; margin: 0; padding: 0; }
.pages a { display: inline-block; padding: 0.35rem 0; font-size: 0.9375rem; }
.pages a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; }
.places { list-style: none; margin: 1rem 0 0; padding: 0; display: grid; gap: 0.75rem; }
.places a { display: flex; gap: 0.8rem; padding: 0.8rem 0.9rem; color: var(--ink); text-decoration: none; border: 1px solid var(--line); border-radius: 0.5rem; overflow-wrap: anywhere; }
.places a:hover { background: var(--chip); }
.places svg { flex: none; width: 1.5rem; height: 1.5rem; color: var(--accent); }
.places img { flex: none; object-fit: contain; }
.places a > span { min-width: 0; }
.places .hint { display: block; margin: 0.15rem 0 0; }
h2 { margin: 2.25rem 0 0.5rem; padding-top: 1.25rem; border-top: 1px solid var(--line); font-size: 1.125rem; }
details { margin: 0.5rem 0; }
summary { cursor: pointer; padding: 0.35rem 0; color: var(--accent); }
.rows, .codes { list-style: none; margin: 0.5rem 0 0; padding: 0; display: grid; gap: 1rem; overflow-wrap: anywhere; }
.rows p { margin: 0; }
.rows button, .rows .button { display: inline-block; width: auto; margin-top: 0.6rem; }
.told { margin: 0 0 1rem; padding-inline-start: 1.25rem; }
.told li { padding-inline-start: 0.15rem; }
time { white-space: nowrap; }
.compare { margin: 1rem 0; padding: 0.6rem; border-radius: 0.5rem; background: var(--chip); text-align: center; }
.compare code { font-size: 1.5rem; font-weight: 600; letter-spacing: 0.1em; }
.links { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin-top: 1rem; }
.links button { margin: 0; height: 100%; overflow-wrap: anywhere; }
.codes { grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.4rem; }
.codes code { font-size: 1rem; }
.done code { overflow-wrap: anywhere; }
.done { margin: 1.1rem 0 0; padding: 0.7rem 0.9rem; border-radius: 0.5rem; background: var(--chip); border: 1px solid var(--field-line); }
.qr svg { display: block; width: min(14rem, 100%); height: auto; margin: 0 auto 1rem; border-radius: 0.5rem; }
.picture img, .picture canvas { display: block; width: 8rem; height: 8rem; object-fit: cover; border-radius: 0.5rem; }
.number { color: var(--soft); font-size: 0.9375rem; margin: 1.25rem 0 0; }
footer::before { content: var(--site, 'hero_proxy'); }
footer { padding: 1rem; text-align: center; color: var(--soft); font-size: 0.8125rem; }
@media print {
  :root { --paper: #ffffff; --card: #ffffff; --ink: #000000; --soft: #333333; }
  .pages, .keep, .card .button, button, footer { display: none; }
  .card { border: 0; padding: 0; }
  .codes li, .done { break-inside: avoid; }
}
@media (prefers-reduced-motion: no-preference) { button, .button { transition: background-color 120ms; } }
`.trim()

/** Changes with the content, so that browsers may cache the stylesheet for ever. */
export const styleVersion = hash('sha256', style, 'hex').slice(0, 12)
