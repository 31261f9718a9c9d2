import { setTimeout as delay } from 'node:timers/promises'
import { Conflict, ConnectionError, HeroError, RateLimited, Unavailable } from './errors.ts'
import type { Methods } from './methods.ts'
import type { Transport } from './transport.ts'

/** A session or token that ended before its time. */
export type Revoked = Methods['sessions.revocations']['result']['items'][number]

export interface RevokedOptions {
  /** Tells also what happened since this Unix time, in seconds, a day ago at most; otherwise only what happens from now on. */
  readonly since?: number
  /** Revocations were missed (the program was cut off for a day, the database is another): drop all that is kept of sessions. */
  readonly onReset?: () => void
  /** Asking is refused, as when a claim was taken away. It is tried again and again meanwhile. */
  readonly onError?: (error: Error) => void
  /** Ends the subscription, as the returned function does. */
  readonly signal?: AbortSignal
}

/** Seconds that one question waits for its answer. */
const wait = 25
/** Milliseconds after which a question counts as lost. */
export const patience = (wait + 15) * 1000
/** Milliseconds between two tries while the daemon is away: first, and at most. */
const firstPause = 50
const longestPause = 1000

const isPassing = (error: unknown) =>
  error instanceof ConnectionError ||
  error instanceof Unavailable ||
  error instanceof RateLimited ||
  (error instanceof HeroError && error.code === 'internal_error')

/** What a listener throws is its program's own fault, as with any event. */
const call = <T extends readonly unknown[]>(listener: ((...about: T) => void) | undefined, ...about: T) => {
  try {
    listener?.(...about)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Asks over a connection of its own for revocations, one after another, until `signal` says to end. */
export const follow = async (
  transport: Transport,
  authorization: string | undefined,
  listener: (revoked: Revoked) => void,
  { since, onReset, onError }: RevokedOptions,
  signal: AbortSignal,
): Promise<void> => {
  type Answer = Methods['sessions.revocations']['result']
  const ask = (params: Methods['sessions.revocations']['params']) =>
    transport.call('sessions.revocations', params, authorization) as Promise<Answer>
  signal.addEventListener('abort', () => transport.close(), { once: true })

  /** Tries until there is an answer; `refused` hears of errors that may last. */
  const persist = async (
    params: () => Methods['sessions.revocations']['params'],
    refused: (error: Error) => void,
  ): Promise<Answer | undefined> => {
    for (let pause = firstPause; !signal.aborted; pause = Math.min(pause * 2, longestPause)) {
      try {
        return await ask(params())
      } catch (error) {
        if (signal.aborted) return undefined
        if (!isPassing(error)) refused(error as Error)
      }
      await delay(pause, undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  const first = await persist(
    () => ({ ...(since !== undefined && { since }) }),
    (error) => {
      throw error
    },
  )
  if (!first) return
  for (const revoked of first.items) call(listener, revoked)
  let { cursor } = first
  const goOn = async () => {
    while (!signal.aborted) {
      const answer = await persist(
        () => ({ after: cursor, wait }),
        (error) => {
          if (error instanceof Conflict && typeof error.data.cursor === 'number') {
            cursor = error.data.cursor
            call(onReset)
          } else call(onError, error)
        },
      )
      if (!answer || signal.aborted) return
      for (const revoked of answer.items) call(listener, revoked)
      cursor = answer.cursor
    }
  }
  void goOn()
}
