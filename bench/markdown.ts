// Prints the tables and figures of a file that `npm run bench -- --save FILE` wrote as Markdown: node bench/markdown.ts FILE
import { readSaved, type Saved } from './report.ts'

/** What the figures that have a goal are held to: at least, or at most. */
const goals: Readonly<Record<string, { least?: number; most?: number; aim: number }>> = {
  vs_nginx_auth_request: { least: 1.2, aim: 1.7 },
  vs_caddy_forward_auth: { least: 5, aim: 7 },
  vs_nginx: { least: 0.5, aim: 0.8 },
  stream_vs_nginx: { least: 0.6, aim: 1 },
  p99_vs_nginx_auth_request: { most: 1.5, aim: 1 },
  rpc_vs_echo: { least: 0.4, aim: 0.7 },
  idle_mb: { most: 110, aim: 90 },
  memory_mb: { most: 160, aim: 130 },
  idle_websockets_mb: { most: 20, aim: 20 },
  start_ms: { most: 500, aim: 300 },
  ten_thousand_vs_ten: { most: 1.1, aim: 1 },
}

type Rows = readonly (readonly string[])[]

const asMarkdown = ([head = [], ...rows]: Rows): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

const goalRows = (saved: Record<string, Saved>): Rows => {
  const figures = Object.values(saved).flatMap(({ figures }) => Object.entries(figures))
  const rows = figures.flatMap(([name, value]) => {
    const goal = goals[name]
    if (!goal) return []
    const met = value >= (goal.least ?? -Infinity) && value <= (goal.most ?? Infinity)
    const told = goal.least === undefined ? `≤ ${goal.most}` : `≥ ${goal.least}`
    return [[`\`${name}\``, String(value), told, String(goal.aim), met ? 'yes' : 'no']]
  })
  return [['figure', 'measured', 'goal', 'aim', 'met'], ...rows]
}

const [file] = process.argv.slice(2)
const saved = file === undefined ? {} : readSaved(file)
if (Object.keys(saved).length === 0) {
  console.error('usage: node bench/markdown.ts FILE, a file that `npm run bench -- --save FILE` wrote')
  process.exit(1)
}
console.log(`## Goals\n\n${asMarkdown(goalRows(saved))}`)
for (const [bench, { title, machine, tables, figures }] of Object.entries(saved)) {
  console.log(`\n## ${title}\n\n\`npm run bench -- ${bench}\`; ${machine}\n`)
  console.log(tables.map(asMarkdown).join('\n\n'))
  const list = Object.entries(figures).map(([name, value]) => `\`${name}\` ${value}`)
  console.log(`\n${list.join(', ')}`)
}
