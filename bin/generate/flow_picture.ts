import type { Flow } from './flows.ts'

const width = 760
/** The width of the steps and the left edge of the branches, in pixels. */
const [stepWidth, branchLeft] = [430, 550]
const [lineHeight, padding, gap, top] = [18, 12, 26, 40]
const [stepColumns, branchColumns] = [62, 29]

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Breaks a text at spaces into lines of at most `columns` characters. */
const wrap = (text: string, columns: number): string[] => {
  const lines = ['']
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!
    if (line === '') lines[lines.length - 1] = word
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(word)
  }
  return lines
}

/** The colours follow the colour scheme of the reader. The background is opaque, so that both are legible on any page. */
const style = `
  svg { color: #1f2328 }
  text { fill: currentColor; font: 12.5px system-ui, sans-serif }
  .title { font-weight: 600; font-size: 14px }
  .at { font: 600 12.5px ui-monospace, monospace }
  .when { font-size: 11.5px; text-anchor: middle }
  .ground { fill: #ffffff }
  .step { fill: #eef4fb; stroke: #0969da }
  .branch { fill: #f6f8fa; stroke: #818b98; stroke-dasharray: 4 3 }
  .way { fill: none; stroke: #59636e; stroke-width: 1.4 }
  .head { fill: #59636e }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3 }
    .ground { fill: #0d1117 }
    .step { fill: #121d2f; stroke: #4493f8 }
    .branch { fill: #151b23; stroke: #656c76 }
    .way { stroke: #9198a1 }
    .head { fill: #9198a1 }
  }`

const box = (kind: string, x: number, y: number, w: number, h: number) =>
  `<rect class="${kind}" x="${x}" y="${y}" width="${w}" height="${h}" rx="6"/>`
const lines = (texts: readonly string[], x: number, y: number) =>
  texts.map((text, i) => `<text x="${x}" y="${y + i * lineHeight}">${escaped(text)}</text>`)

/** Draws a flow from top to bottom, with its branches on the right. */
export const drawFlow = ({ title, steps }: Flow): string => {
  const parts: string[] = []
  let y = top
  for (const [i, { at, does, branch }] of steps.entries()) {
    const text = wrap(does, stepColumns)
    const outcome = branch ? wrap(branch.outcome, branchColumns) : []
    const height = 2 * padding + Math.max(text.length + 1, outcome.length) * lineHeight - 4
    parts.push(
      box('step', 0, y, stepWidth, height),
      `<text class="at" x="${padding}" y="${y + padding + 11}">${escaped(at)}</text>`,
      ...lines(text, padding, y + padding + 11 + lineHeight),
    )
    if (branch) {
      const middle = y + height / 2
      const high = 2 * padding + outcome.length * lineHeight - 4
      parts.push(
        `<path class="way" d="M${stepWidth} ${middle}H${branchLeft - 7}"/>`,
        `<path class="head" d="M${branchLeft} ${middle}l-8 -4v8z"/>`,
        `<text class="when" x="${(stepWidth + branchLeft) / 2 - 3}" y="${middle - 6}">${escaped(branch.when)}</text>`,
        box('branch', branchLeft, middle - high / 2, width - branchLeft, high),
        ...lines(outcome, branchLeft + padding, middle - high / 2 + padding + 11),
      )
    }
    y += height
    if (i === steps.length - 1) break
    parts.push(
      `<path class="way" d="M${stepWidth / 2} ${y}v${gap - 7}"/>`,
      `<path class="head" d="M${stepWidth / 2} ${y + gap}l-4 -8h8z"/>`,
    )
    y += gap
  }
  const description = steps
    .map(({ at, does, branch }) => `${at}: ${does}${branch ? ` If ${branch.when}: ${branch.outcome}.` : ''}`)
    .join(' ')
  const [w, h] = [width + 24, y + 12]
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-12 0 ${w} ${h}" role="img" aria-labelledby="t d">`,
    '<!-- generated: bin/generate/flows.ts describes it -->',
    `<title id="t">${escaped(title)}</title>`,
    `<desc id="d">${escaped(description)}</desc>`,
    `<style>${style}\n</style>`,
    `<rect class="ground" x="-12" y="0" width="${w}" height="${h}" rx="8"/>`,
    `<text class="title" x="0" y="24">${escaped(title)}</text>`,
    ...parts,
    '</svg>',
  ].join('\n')}\n`
}
