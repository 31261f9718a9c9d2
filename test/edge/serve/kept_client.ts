import { connect, type Socket } from 'node:net'

export interface Received {
  /** 0 where the connection closed without a response. */
  readonly status: number
  readonly head: string
  readonly body: string
}

/** A persistent connection: sends exact bytes and reads one response at a time. */
export class KeptClient {
  readonly #socket: Socket
  #text = ''
  closed = false
  #wake = () => {}

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1').setNoDelay()
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => {
      this.#text += text
      this.#wake()
    })
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /** The next response, its body delimited by Content-Length or chunks; `bodiless` after HEAD. 100 (Continue) is skipped. */
  async receive(bodiless = false): Promise<Received> {
    for (;;) {
      const received = this.#take(bodiless)
      if (received) return received
      if (this.closed) return { status: 0, head: '', body: '' }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #take(bodiless: boolean): Received | undefined {
    const end = this.#text.indexOf('\r\n\r\n') + 4
    if (end < 4) return undefined
    const head = this.#text.slice(0, end)
    const status = Number(head.slice(9, 12))
    if (status === 100) {
      this.#text = this.#text.slice(end)
      return this.#take(bodiless)
    }
    const [body, length] = this.#body(end, head, bodiless || status === 204 || status === 304)
    if (this.#text.length < end + length) return undefined
    this.#text = this.#text.slice(end + length)
    return { status, head, body }
  }

  #body(start: number, head: string, bodiless: boolean): [body: string, length: number] {
    if (bodiless) return ['', 0]
    if (!/\r\ntransfer-encoding: *chunked/i.test(head)) {
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
      return [this.#text.slice(start, start + length), length]
    }
    let body = ''
    let at = start
    for (;;) {
      const line = this.#text.indexOf('\r\n', at)
      if (line < 0) return ['', Infinity]
      const size = Number.parseInt(this.#text.slice(at, line), 16)
      if (size === 0) {
        const last = this.#text.indexOf('\r\n\r\n', line)
        return last < 0 ? ['', Infinity] : [body, last + 4 - start]
      }
      body += this.#text.slice(line + 2, line + 2 + size)
      at = line + 2 + size + 2
    }
  }

  end(): void {
    this.#socket.destroy()
  }
}
