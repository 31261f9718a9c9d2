// Draws docs/pictures/edge.svg from a file that `npm run bench -- edge --save FILE` wrote: node bench/chart.ts FILE
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSaved, type Saved } from './report.ts'

const width = 760
const [left, right] = [210, 90]
const [rowHeight, barHeight, gap] = [22, 15, 34]
const [headHeight, footHeight] = [46, 30]

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const number = (value: number) =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 0 : 1)

interface Panel {
  readonly title: string
  readonly figure: string
}

/** Processor time comes first, because it is the steadier figure. */
const panels: readonly Panel[] = [
  { title: 'Processor time for one request, µs (less is better)', figure: 'cpu' },
  { title: 'Requests per second on one core (more is better)', figure: 'rate' },
]

const bars = ({ contestants }: Saved, { title, figure }: Panel, top: number): string[] => {
  const rows = Object.entries(contestants)
    .map(([name, figures]) => ({ name, ...figures[figure]! }))
    .toSorted((a, b) => (figure === 'cpu' ? a.median - b.median : b.median - a.median))
  const most = Math.max(...rows.map(({ max }) => max))
  const x = (value: number) => Number((left + ((width - left - right) * value) / most).toFixed(1))
  const lines = [`<text class="title" x="0" y="${top}">${escaped(title)}</text>`]
  for (const [i, { name, median, min, max }] of rows.entries()) {
    const y = top + 12 + i * rowHeight
    const middle = y + barHeight / 2
    const kind = name.startsWith('hero_proxy') ? 'ours' : 'bar'
    lines.push(
      `<text class="name" x="${left - 8}" y="${middle + 4}">${escaped(name)}</text>`,
      `<rect class="${kind}" x="${left}" y="${y}" width="${(x(median) - left).toFixed(1)}" height="${barHeight}" rx="2"/>`,
      `<path class="spread" d="M${x(min)} ${middle}H${x(max)}"/>`,
      `<text x="${x(max) + 8}" y="${middle + 4}">${number(median)}</text>`,
    )
  }
  return lines
}

/** The colours follow the colour scheme of the reader, also if the picture is an <img>. */
const style = `
  svg { color: #1f2328; color-scheme: light dark }
  text { fill: currentColor; font: 12px system-ui, sans-serif }
  .title { font-weight: 600; font-size: 13px }
  .name { text-anchor: end }
  .foot { opacity: .7; font-size: 11px }
  .bar { fill: #8c959f }
  .ours { fill: #0969da }
  .spread { stroke: currentColor; stroke-width: 1.5; opacity: .6 }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3 }
    .bar { fill: #6e7681 }
    .ours { fill: #4493f8 }
  }`

/** Horizontal bars of medians; the thin line goes from the lowest to the highest value. */
const draw = (saved: Saved): string => {
  const count = Object.keys(saved.contestants).length
  const panelHeight = 12 + count * rowHeight + gap
  const height = headHeight + panels.length * panelHeight + footHeight
  const described = Object.entries(saved.contestants).map(
    ([name, { cpu, rate }]) => `${name}: ${number(cpu!.median)} µs, ${number(rate!.median)} requests/s`,
  )
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 ${width + 24} ${height}" role="img" aria-labelledby="t d">`,
    `<title id="t">${escaped(saved.title)}</title>`,
    `<desc id="d">${escaped(described.join('; '))}</desc>`,
    `<style>${style}\n</style>`,
    `<text x="0" y="18">${escaped(saved.title)}</text>`,
    ...panels.flatMap((panel, i) => bars(saved, panel, headHeight + i * panelHeight)),
    `<text class="foot" x="0" y="${height - 26}">Medians; the thin line is from the minimum to the maximum.</text>`,
    `<text class="foot" x="0" y="${height - 10}">${escaped(saved.machine)}</text>`,
    '</svg>',
  ].join('\n')}\n`
}

const fail = (message: string): never => {
  console.error(message)
  process.exit(1)
}
const [file] = process.argv.slice(2)
const read = () => {
  try {
    return file === undefined ? undefined : readSaved(file).edge
  } catch (error) {
    return fail((error as Error).message)
  }
}
const edge =
  read() ?? fail('usage: node bench/chart.ts FILE, a file that `npm run bench -- edge --save FILE` wrote')
const picture = join(import.meta.dirname, '..', 'docs', 'pictures', 'edge.svg')
writeFileSync(picture, draw(edge))
console.log(`wrote ${picture}`)
