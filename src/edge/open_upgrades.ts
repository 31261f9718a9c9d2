import type { Duplex } from 'node:stream'

/** In milliseconds: far below the minute that a connection may outlive its session. */
const every = 5000

/** Connections that switched protocols: asked again every few seconds, because no request of theirs ever comes again. */
export class OpenUpgrades {
  readonly #open = new Map<Duplex, () => Promise<boolean>>()
  readonly #timer = setInterval(() => void this.#askAll(), every).unref()

  /** Ends the connection once `holds` says no, or cannot say. */
  watch(socket: Duplex, holds: () => Promise<boolean>): void {
    this.#open.set(socket, holds)
    socket.once('close', () => this.#open.delete(socket))
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #askAll(): Promise<void> {
    for (const [socket, holds] of this.#open) {
      if (!(await holds().catch(() => false))) socket.destroy()
    }
  }
}
