import { createHmac, timingSafeEqual } from 'node:crypto'

/** The header that carries the mark. */
export const markHeader = 'session-mark'

/**
 * Marks of sessions, for calls that a page of home makes by a script. The page carries the mark of the session that it was made for,
 * so its calls change nothing under the session of somebody who has signed in since in another tab. A mark proves nothing by itself.
 */
export class SessionMarks {
  readonly #key: Buffer

  constructor(key: Buffer) {
    this.#key = key
  }

  of(sessionId: string): string {
    return createHmac('sha256', this.#key).update(sessionId).digest('base64url')
  }

  isOf(mark: string, sessionId: string): boolean {
    const [given, wanted] = [Buffer.from(mark), Buffer.from(this.of(sessionId))]
    return given.length === wanted.length && timingSafeEqual(given, wanted)
  }
}
