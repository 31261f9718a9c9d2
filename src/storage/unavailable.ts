import { AppError } from '../contract/errors.ts'

/** SQLite's result codes for a disk that is full, failing or read-only, or a lock that was not released in time. */
const sqliteFaults = /^SQLITE_(FULL|IOERR|BUSY|READONLY|CANTOPEN|LOCKED|PROTOCOL)/

/** SQLSTATE classes of PostgreSQL: connection exception, insufficient resources, operator intervention, system error; and serialization failures. */
const postgresFaults = /^(08|53|57|58)[0-9A-Z]{3}$|^40(001|P01)$/

/** Whether the database itself failed, not just this query. */
const isStorageFault = (error: unknown): boolean => {
  if (!(error instanceof Error)) return false
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  return (
    sqliteFaults.test(code) ||
    postgresFaults.test(code) ||
    /^E(CONNREFUSED|CONNRESET|PIPE|TIMEDOUT|NOENT|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN)$/.test(code) ||
    /Connection terminated|not queryable|timeout exceeded when trying to connect/.test(error.message)
  )
}

/**
 * Turns a failure of the database into the error that callers get, with the original as its cause. Returns any other
 * error unchanged.
 */
export const asUnavailable = (error: unknown): unknown => {
  if (!isStorageFault(error)) return error
  const unavailable = new AppError('unavailable', 'The database is not available at the moment')
  unavailable.cause = error
  return unavailable
}
