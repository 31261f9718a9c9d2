import { setTimeout as delay } from 'node:timers/promises'
import { Conflict, ConnectionError, HeroError, RateLimited, Unavailable } from './errors.ts'
import type { Methods } from './methods.ts'
import type { Transport } from './transport.ts'

/** A revoked session or token. */
export type Revoked = Methods['sessions.revocations']['result']['items'][number]

export interface RevokedOptions {
  /** Also reports revocations since this Unix time, in seconds, at most a day ago. Default: only from now on. */
  readonly since?: number
  /** Called if revocations were missed (no connection for a day, or another database). Drop everything that is cached about sessions. */
  readonly onReset?: () => void
  /** Called if the daemon refuses the request, for example because a claim was withdrawn. The client keeps retrying. */
  readonly onError?: (error: Error) => void
  /** Ends the subscription, like the returned function. */
  readonly signal?: AbortSignal
}

/** How long the daemon waits for a revocation before it answers. */
const waitSeconds = 25
/** Milliseconds after which a request counts as lost. */
export const callTimeoutMs = (waitSeconds + 15) * 1000
/** The pause between two attempts while the daemon is unavailable grows between these two. */
const firstPauseMs = 50
const maxPauseMs = 1000

const isTemporary = (error: unknown) =>
  error instanceof ConnectionError ||
  error instanceof Unavailable ||
  error instanceof RateLimited ||
  (error instanceof HeroError && error.code === 'internal_error')

/** Calls a listener. Its exceptions become uncaught exceptions of the program, as with any event. */
const call = <T extends readonly unknown[]>(listener: ((...about: T) => void) | undefined, ...about: T) => {
  try {
    listener?.(...about)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** Requests revocations over a separate connection, one request after another, until `signal` is aborted. */
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

  /** Retries until there is an answer. Calls `refused` for errors that are not temporary. */
  const persist = async (
    params: () => Methods['sessions.revocations']['params'],
    refused: (error: Error) => void,
  ): Promise<Answer | undefined> => {
    for (let pause = firstPauseMs; !signal.aborted; pause = Math.min(pause * 2, maxPauseMs)) {
      try {
        return await ask(params())
      } catch (error) {
        if (signal.aborted) return undefined
        if (!isTemporary(error)) refused(error as Error)
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
  const readOn = async () => {
    while (!signal.aborted) {
      const answer = await persist(
        () => ({ after: cursor, wait: waitSeconds }),
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
  void readOn()
}
