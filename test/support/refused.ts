import assert from 'node:assert/strict'
import type { ErrorCode } from '../../sdk/index.ts'
import { HeroError } from '../../sdk/index.ts'
import { AppError } from '../../src/contract/errors.ts'

/** Asserts that a call is refused with this error code, and for this parameter if one is given. Returns the refusal. */
export const refused = async (call: Promise<unknown>, code: ErrorCode, path?: string): Promise<HeroError> => {
  const error = await call.then(
    (result) => assert.fail(`not refused but answered ${JSON.stringify(result)}`),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof HeroError || error instanceof AppError, String((error as Error).stack))
  assert.equal(error.data.code, code, error.message)
  if (path !== undefined) assert.equal(error.data.path, path, error.message)
  return error as HeroError
}

/** Asserts the same for concurrent calls. */
export const allRefused = (calls: readonly Promise<unknown>[], code: ErrorCode, path?: string) =>
  Promise.all(calls.map((call) => refused(call, code, path)))
