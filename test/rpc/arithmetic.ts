import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from '../../src/contract/schema_builder.ts'
import { Audit } from '../../src/audit/audit.ts'
import { operator } from '../../src/contract/caller.ts'
import { AppError } from '../../src/contract/errors.ts'
import { createLog } from '../../src/log/log.ts'
import { method, type Method } from '../../src/contract/method.ts'
import { Dispatcher } from '../../src/rpc/dispatcher.ts'
import { Envelope, type Identify } from '../../src/rpc/envelope.ts'
import { Shape } from '../../src/contract/schemas.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const N = Type.Integer()
const Numbers = { a: N, b: Type.Optional(N), c: Type.Optional(N), d: Type.Optional(N), e: Type.Optional(N) }
const common = { effect: 'read', claim: null } as const

const unavailable = () => Object.assign(new Error('disk I/O error'), { code: 'SQLITE_IOERR_READ' })

/** Handlers that fail, each in its own way: `NAME` synchronously, and `NAME_later` with a promise. */
const failures: Record<string, () => unknown> = {
  throws: () => {
    throw new Error('password=hunter2 in /etc/secret/place')
  },
  throws_text: () => {
    // oxlint-disable-next-line no-throw-literal, typescript/only-throw-error
    throw 'password=hunter2'
  },
  throws_disguised: () => {
    throw Object.assign(new Error('password=hunter2'), { code: -32001, data: { password: 'hunter2' } })
  },
  answers_wrongly: () => ({ password: 'hunter2' }),
  refuses: () => {
    throw new AppError('conflict', 'Not now', { detail: 'test' })
  },
  loses_database: () => {
    throw unavailable()
  },
}

/** The methods in the examples of the specification, and the failing ones. */
const methods = (heard: string[]): Method[] => {
  const listener = (name: string) =>
    method({
      ...common,
      name,
      summary: 'Listen',
      params: Shape(Numbers),
      result: Type.Null(),
      examples: [{ params: { a: 1 }, result: null }],
      handler: (params) => {
        heard.push(`${name} ${Object.values(params).join(',')}`)
        return null
      },
    })
  const failing = (name: string, handler: () => unknown) =>
    method({
      ...common,
      name,
      summary: 'Fail',
      params: Shape({}),
      result: Type.Integer(),
      examples: [{ params: {}, result: 1 }],
      handler: handler as () => number,
    })
  return [
    method({
      ...common,
      name: 'subtract',
      summary: 'Subtract',
      params: Shape({ minuend: N, subtrahend: N }),
      result: N,
      examples: [{ params: { minuend: 42, subtrahend: 23 }, result: 19 }],
      handler: ({ minuend, subtrahend }) => minuend - subtrahend,
    }),
    method({
      ...common,
      name: 'sum',
      summary: 'Add up',
      params: Shape(Numbers),
      result: N,
      examples: [{ params: { a: 1 }, result: 1 }],
      handler: (params) => Object.values(params).reduce((sum, number) => sum + number, 0),
    }),
    method({
      ...common,
      name: 'get_data',
      summary: 'Return something',
      params: Shape({}),
      result: Type.Array(Type.Union([Type.String(), N])),
      examples: [{ params: {}, result: ['hello', 5] }],
      handler: () => ['hello', 5],
    }),
    listener('update'),
    listener('notify_hello'),
    listener('notify_sum'),
    ...Object.entries(failures).flatMap(([name, fail]) => [
      failing(name, fail),
      failing(`${name}_later`, async () => fail()),
    ]),
  ]
}

export interface Arithmetic {
  /** The notifications that were received. */
  readonly heard: string[]
  readonly logged: Record<string, unknown>[]
  readonly methods: readonly Method[]
  /** Synchronous if the envelope needs no promise. */
  receive(text: string | Buffer, identify?: Identify): string | undefined | Promise<string | undefined>
  close(): Promise<void>
}

export interface RealEnvelope {
  readonly envelope: Envelope
  readonly logged: Record<string, unknown>[]
  close(): Promise<void>
}

/** The real envelope and dispatcher for any methods. */
export const envelopeOver = async (list: readonly Method[]): Promise<RealEnvelope> => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-rpc-'))
  const logged: Record<string, unknown>[] = []
  const log = createLog('debug', {
    write: (line: string) => void logged.push(JSON.parse(line) as Record<string, unknown>),
  })
  const database = await openDatabase(`sqlite:${join(dir, 'test.db')}`, log)
  const counters = { calls: 0, requests: 0 }
  const dispatcher = new Dispatcher(list, database, new Audit(database, Buffer.alloc(32)), log, counters)
  return {
    envelope: new Envelope(dispatcher, log),
    logged,
    close: async () => {
      await database.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The real envelope and dispatcher for these methods. */
export const arithmeticEnvelope = async (): Promise<Arithmetic> => {
  const heard: string[] = []
  const list = methods(heard)
  const { envelope, logged, close } = await envelopeOver(list)
  return {
    heard,
    logged,
    methods: list,
    receive: (text, identify = () => operator({ via: 'socket' })) =>
      envelope.receive(Buffer.from(text as string), identify),
    close,
  }
}
