import { AppError } from '../../contract/errors.ts'
import type { Log } from '../../log/log.ts'
import { asUnavailable } from '../../storage/unavailable.ts'
import { problem, send } from '../../wire/responses.ts'
import { type Refusal, unavailableRefusal } from '../../wire/refusal.ts'
import type { ShowRefusal } from '../../html/show_refusal.ts'
import { isRequestError, readRequest } from '../../wire/request.ts'
import type { ClientAddresses } from '../../wire/client_address.ts'
import type { ClientResponse, ReceivedRequest } from '../../wire/client_response.ts'
import { sourceStack } from '../../log/source_stack.ts'

/** Logs a fault and returns the refusal to send. The refusal reveals nothing about the cause. */
export const logFault = (fault: unknown, log: Log): Refusal => {
  const error = asUnavailable(fault)
  if (error instanceof AppError && error.error === 'unavailable') {
    log.error(
      { error: error.cause instanceof Error ? error.cause.message : '' },
      'the database does not answer',
    )
    return unavailableRefusal
  }
  log.error({ error: sourceStack(fault) }, 'internal error at the edge')
  return internalError
}

/** Answers a request that failed: the request is never forwarded, and a response that has begun breaks off. */
export const answerInternalError = (
  fault: unknown,
  sent: ReceivedRequest,
  to: ClientResponse,
  { peers, log, tell }: { readonly peers: ClientAddresses; readonly log: Log; readonly tell: ShowRefusal },
): void => {
  const refusal = logFault(fault, log)
  if (to.headersSent || to.destroyed) return void to.destroy()
  to.shouldKeepAlive = false
  const asked = readRequest(sent, peers)
  if (isRequestError(asked)) send(to, refusal.status, 'application/problem+json', problem(refusal), {})
  else tell(sent, to, asked, refusal)
}

export const internalError: Refusal = { status: 500, reason: 'internal_error', code: 'internal_error' }
