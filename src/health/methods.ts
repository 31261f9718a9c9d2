import { Type } from '../type.ts'
import { method } from '../method.ts'
import { Nothing, Shape } from '../schemas.ts'
import { version } from '../version.ts'

/** Numbers about the running process. */
export interface Counters {
  /** JSON-RPC calls answered since start. */
  calls: number
  /** HTTP requests answered at the edge since start. */
  requests: number
}

export const healthMethods = (counters: Counters, databaseKind: string) => [
  method({
    name: 'health',
    summary: 'Tell that the daemon answers',
    effect: 'read',
    claim: null,
    params: Nothing,
    result: Shape({ status: Type.Literal('ok'), version: Type.String() }),
    examples: [{ params: {}, result: { status: 'ok', version } }],
    handler: () => ({ status: 'ok' as const, version }),
  }),
  method({
    name: 'stats',
    summary: 'Tell uptime, memory and counts of the daemon',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Nothing,
    result: Shape({
      uptime_seconds: Type.Integer(),
      memory_bytes: Type.Integer({ description: 'Resident set' }),
      database: Type.String({ description: 'sqlite or postgres' }),
      node: Type.String(),
      rpc_calls: Type.Integer({ description: 'Since start' }),
      edge_requests: Type.Integer({ description: 'Since start' }),
    }),
    examples: [
      {
        params: {},
        result: {
          uptime_seconds: 3600,
          memory_bytes: 94371840,
          database: 'sqlite',
          node: 'v24.21.0',
          rpc_calls: 17,
          edge_requests: 1024,
        },
      },
    ],
    handler: () => ({
      uptime_seconds: Math.round(process.uptime()),
      memory_bytes: process.memoryUsage.rss(),
      database: databaseKind,
      node: process.version,
      rpc_calls: counters.calls,
      edge_requests: counters.requests,
    }),
  }),
]
