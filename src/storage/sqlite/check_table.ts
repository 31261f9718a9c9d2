import type { Task } from './thread_messages.ts'

/** Describes what is wrong with a table and its indexes; empty if nothing is. */
const checkTable: Task<string, string> = (database, table) => {
  const quoted = `"${table.replaceAll('"', '""')}"`
  const found = database.pragma(`quick_check(${quoted})`, { simple: true })
  return found === 'ok' ? '' : String(found)
}
export default checkTable
