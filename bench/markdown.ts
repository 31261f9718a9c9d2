// Prints the tables and figures of a file that `npm run bench -- --save FILE` wrote as Markdown: node bench/markdown.ts FILE
import { goals } from './goals.ts'
import { readSaved, type Saved } from './report.ts'

type Rows = readonly (readonly string[])[]

const asMarkdown = ([head = [], ...rows]: Rows): string =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n')

const goalRows = (saved: Record<string, Saved>): Rows => {
  const rows = Object.entries(saved).flatMap(([bench, { figures }]) =>
    Object.entries(goals[bench] ?? {}).flatMap(([name, { better, must, aim }]) => {
      const value = figures[name]
      if (value === undefined || must === undefined) return []
      const met = better === 'more' ? value >= must : value <= must
      const goal = `${better === 'more' ? '≥' : '≤'} ${must}`
      return [[`\`${bench}\`: \`${name}\``, String(value), goal, String(aim ?? ''), met ? 'yes' : 'no']]
    }),
  )
  return [['figure', 'measured', 'must', 'aim', 'met'], ...rows]
}

const fail = (message: string): never => {
  console.error(message)
  process.exit(1)
}
const [file] = process.argv.slice(2)
const read = () => {
  if (file === undefined)
    return fail('usage: node bench/markdown.ts FILE, a file that `npm run bench -- --save FILE` wrote')
  try {
    return readSaved(file)
  } catch (error) {
    return fail((error as Error).message)
  }
}
const saved = read()
console.log(`## Goals\n\n${asMarkdown(goalRows(saved))}`)
for (const [bench, { title, machine, tables, figures }] of Object.entries(saved)) {
  console.log(`\n## ${title}\n\n\`npm run bench -- ${bench}\`; ${machine}\n`)
  console.log(tables.map(asMarkdown).join('\n\n'))
  const list = Object.entries(figures).map(([name, value]) => `\`${name}\` ${value}`)
  console.log(`\n${list.join(', ')}`)
}
