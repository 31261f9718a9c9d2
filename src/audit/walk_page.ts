import type { AuditRow } from '../storage/schema.ts'
import { checkChain, type Page, type ChainCheck } from './chain.ts'
import type { Task } from '../storage/sqlite/thread_messages.ts'

const select = 'select * from audit where seq > ? and seq <= ? order by seq limit ?'

/** Checks one page of the chain, in a thread. */
const walkPage: Task<Page, ChainCheck> = (database, page) =>
  checkChain(
    database.prepare<unknown[], AuditRow>(select).iterate(page.from.seq, page.to, page.rows) as never,
    page,
  )
export default walkPage
