import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Nothing, Shape } from '../contract/schemas.ts'
import { version } from '../version.ts'
import type { Database } from '../storage/database.ts'
import type { Counters } from '../metrics/counters.ts'
import type { Readiness } from './readiness.ts'

const counts = {
  memory_bytes: Type.Integer({ description: 'Resident set' }),
  rpc_calls: Type.Integer({ description: 'Since start' }),
  edge_requests: Type.Integer({ description: 'Since start' }),
}

export const healthMethods = (
  counters: Counters,
  database: Pick<Database, 'kind' | 'condition'>,
  readiness: Pick<Readiness, 'causes'>,
) => [
  method({
    name: 'health',
    summary: 'Report that the daemon answers, whether it is ready, and the state of its database',
    effect: 'read',
    claim: null,
    params: Nothing,
    result: Shape({
      status: Type.Literal('ok'),
      version: Type.String(),
      database: Type.Enum(['checking', 'ok', 'damaged'], {
        description:
          'The condition of the database file: checking until all of it was checked after the start; while it is damaged, all writes fail with unavailable. Always ok for PostgreSQL, which checks its own files',
      }),
      ready: Type.Boolean({
        description:
          'Whether /readyz answers 200: the database answers, and its migrations are those of this version',
      }),
      causes: Type.Array(Type.String(), {
        description: 'Why it is not ready, a sentence each. Always empty at the edge, where strangers ask',
      }),
    }),
    examples: [{ params: {}, result: { status: 'ok', version, database: 'ok', ready: true, causes: [] } }],
    handler: async (_, { via }) => {
      const causes = await readiness.causes()
      return {
        status: 'ok' as const,
        version,
        database: database.condition,
        ready: causes.length === 0,
        causes: via === 'socket' ? causes : [],
      }
    },
  }),
  method({
    name: 'stats',
    summary: 'Return uptime, memory and counters of the daemon',
    description: 'The sum of all processes; numbers of workers arrive a second or two late.',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Nothing,
    result: Shape({
      uptime_seconds: Type.Integer(),
      database: Type.String({ description: 'sqlite or postgres' }),
      node: Type.String(),
      ...counts,
      workers: Type.Array(Shape({ pid: Type.Integer(), ...counts }), {
        description: 'Processes that serve the edge in addition to the daemon',
      }),
    }),
    examples: [
      {
        params: {},
        result: {
          uptime_seconds: 3600,
          database: 'sqlite',
          node: 'v24.21.0',
          memory_bytes: 94371840,
          rpc_calls: 17,
          edge_requests: 1024,
          workers: [],
        },
      },
    ],
    handler: () => ({ ...counters.daemon(), database: database.kind, node: process.version }),
  }),
]
