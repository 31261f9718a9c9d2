import { AppError } from '../../contract/errors.ts'
import type { Log } from '../../log/log.ts'
import { asUnavailable } from '../../storage/unavailable.ts'
import { problem, send } from '../../wire/responses.ts'
import { type Told, storageAway } from '../../wire/refusal.ts'
import type { Tell } from '../../html/show_refusal.ts'
import { isRefusal, readAsked } from '../../wire/request.ts'
import type { Peers } from '../../wire/client_address.ts'
import type { Recipient, Sent } from '../../wire/client_response.ts'

/** Writes down what went wrong while something was decided or shown, and says what is told of it: nothing of the cause. */
export const noteFault = (fault: unknown, log: Log): Told => {
  const error = asUnavailable(fault)
  if (error instanceof AppError && error.error === 'unavailable') {
    log.error(
      { error: error.cause instanceof Error ? error.cause.message : '' },
      'the database does not answer',
    )
    return storageAway
  }
  log.error({ error: fault instanceof Error ? fault.stack : 'not an Error' }, 'internal error at the edge')
  return internalError
}

/** Answers what could not be decided or shown: nobody is let in, and what has begun looks broken. */
export const answerFault = (
  fault: unknown,
  sent: Sent,
  to: Recipient,
  { peers, log, tell }: { readonly peers: Peers; readonly log: Log; readonly tell: Tell },
): void => {
  const told = noteFault(fault, log)
  if (to.headersSent || to.destroyed) return void to.destroy()
  to.shouldKeepAlive = false
  const asked = readAsked(sent, peers)
  if (isRefusal(asked)) send(to, told.status, 'application/problem+json', problem(told), {})
  else tell(sent, to, asked, told)
}

export const internalError: Told = { status: 500, reason: 'internal_error', code: 'internal_error' }
