import { pino, type DestinationStream, type Logger } from 'pino'

export type Log = Logger
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

/**
 * Structured JSON lines on standard error; standard output is for messages to people. Log only selected fields, never
 * whole params or headers: pino redacts by exact path, so what is not passed cannot leak.
 */
export const createLog = (level: LogLevel, destination?: DestinationStream): Log =>
  pino(
    { level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination ?? pino.destination({ dest: 2, sync: true }),
  )
