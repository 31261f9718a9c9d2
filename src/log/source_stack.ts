import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const frame = /(file:\/\/[^\s()]+\.mjs):(\d+):(\d+)/g
const maps = new Map<string, SourceMap | undefined>()

const mapBeside = (file: string): SourceMap | undefined => {
  if (!maps.has(file)) {
    let map
    try {
      map = new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')))
    } catch {
      // Not a file of our bundle.
    }
    maps.set(file, map)
  }
  return maps.get(file)
}

/**
 * The stack of an error with positions in the sources, where the code runs from the bundle. Node can translate them
 * itself, but then it reads every source map at the start.
 */
export const sourceStack = (error: unknown): string => {
  if (!(error instanceof Error)) return 'not an Error'
  return `${error.stack}`.replaceAll(frame, (whole, url: string, line: string, column: string) => {
    const file = fileURLToPath(url)
    const entry = mapBeside(file)?.findEntry(Number(line) - 1, Number(column) - 1)
    if (entry === undefined || !('originalSource' in entry)) return whole
    const source = join(dirname(file), entry.originalSource)
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  })
}
