// A thread with its own connection. Runs statements, and tasks that modules export, one after another.
import { parentPort, workerData } from 'node:worker_threads'
import type Sqlite from 'better-sqlite3'
import { boundedMap } from '../bounded_map.ts'
import { connect } from './connect.ts'
import type { ThreadResponse, Task, ThreadData, ThreadRequest } from './thread_messages.ts'

const { file, readonly } = workerData as ThreadData
const database = connect(file, readonly)
const statements = boundedMap<Sqlite.Statement>(200)

const prepared = (sql: string): Sqlite.Statement => {
  let statement = statements.get(sql)
  if (!statement) {
    statement = database.prepare(sql)
    statements.set(sql, statement)
  }
  return statement
}

const run = async (message: Exclude<ThreadRequest, 'close'>): Promise<unknown> => {
  if ('sql' in message) {
    const statement = prepared(message.sql)
    if (statement.reader) return { rows: statement.all(message.parameters) }
    return { rows: [], changes: statement.run(message.parameters).changes }
  }
  const { default: task } = (await import(message.module)) as { default: Task<unknown, unknown> }
  return task(database, message.argument)
}

const reply = (message: ThreadResponse) => parentPort!.postMessage(message)

parentPort!.on('message', (message: ThreadRequest) => {
  if (message === 'close') {
    database.close()
    // Nothing else keeps the thread alive.
    parentPort!.close()
    return
  }
  run(message).then(
    (result) => reply({ id: message.id, result }),
    (error: NodeJS.ErrnoException) =>
      reply({ id: message.id, error: error.message, ...(error.code !== undefined && { code: error.code }) }),
  )
})
