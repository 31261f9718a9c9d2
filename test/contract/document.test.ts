import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as metaSchema from '@open-rpc/meta-schema'
import { Ajv, type AnySchema } from 'ajv'
import { methodNames } from '../../sdk/methods.ts'
import { HeroError, toHeroError } from '../../sdk/errors.ts'
import { AppError, errorTable, type ErrorName } from '../../src/contract/errors.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { openrpc, openrpcText, paramsOf } from '../support/openrpc.ts'

const root = join(import.meta.dirname, '../..')

test('the document is valid against the OpenRPC meta-schema', () => {
  const { openrpcDocument } = metaSchema as unknown as { openrpcDocument: Record<string, unknown> }
  // The meta-schema declares its own dialect: draft 7 with two more names.
  const { $schema: _, ...schema } = openrpcDocument
  const dialect = {
    allOf: [{ $ref: 'http://json-schema.org/draft-07/schema#' }],
    definitions: { JSONSchemaObject: { properties: { $ref: { type: 'string' } } } },
  }
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  const validate = ajv
    .addSchema(dialect, 'https://meta.json-schema.tools/')
    .addSchema(dialect, 'https://meta.json-schema.tools')
    .compile(schema as AnySchema)
  assert.ok(!validate({ ...openrpc, methods: [{ name: 'x' }] }))
  assert.ok(validate(openrpc), JSON.stringify(validate.errors, null, 2))
  assert.equal(openrpc.openrpc, '1.3.2')
})

test('method names and aliases are unique, and required parameters come first', () => {
  const names = openrpc.methods.flatMap(({ name, 'x-aliases': aliases = [] }) => [name, ...aliases])
  assert.deepEqual([...new Set(names)], names)
  for (const { name, params } of openrpc.methods) {
    const paramNames = params.map((param) => param.name)
    assert.deepEqual([...new Set(paramNames)], paramNames, name)
    const required = params.map((param) => param.required)
    assert.deepEqual(
      required.toSorted((a, b) => Number(b) - Number(a)),
      required,
      name,
    )
  }
  assert.deepEqual(
    [...methodNames],
    openrpc.methods.map(({ name }) => name),
  )
})

test('each method has a valid example, errors, an effect and a claim rule', () => {
  const ajv = new Ajv({ strict: false })
  ajv.addSchema(openrpc, 'doc')
  const schemaOf = (schema: object) =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')) as object
  for (const method of openrpc.methods) {
    const { name, params, result, examples, errors } = method
    assert.ok(examples.length > 0, name)
    for (const example of examples) {
      const given = paramsOf(example)
      for (const param of params) {
        if (!(param.name in given)) assert.ok(!param.required, `${name}: ${param.name}`)
        else assert.ok(ajv.validate(schemaOf(param.schema), given[param.name]), `${name}: ${param.name}`)
      }
      for (const key of Object.keys(given))
        assert.ok(
          params.some((param) => param.name === key),
          name,
        )
      assert.ok(ajv.validate(schemaOf(result.schema), example.result.value), `${name}: ${ajv.errorsText()}`)
    }
    assert.ok(errors.length > 0, name)
    for (const { $ref } of errors)
      assert.ok(Object.hasOwn(openrpc.components.errors, $ref.split('/').pop()!), `${name}: ${$ref}`)
    assert.ok(['read', 'write'].includes(method['x-effect']), name)
    assert.ok('x-required-claim' in method, name)
  }
})

test('each reference resolves', () => {
  for (const [, kind, name] of openrpcText.matchAll(/"\$ref": "#\/components\/(schemas|errors)\/(\w+)"/g))
    assert.ok(Object.hasOwn(openrpc.components[kind as 'schemas' | 'errors'], name!), name)
  assert.equal(
    openrpcText.match(/"\$ref"/g)?.length,
    openrpcText.match(/"#\/components\/(schemas|errors)\/\w+"/g)?.length,
  )
})

test('rpc.discover, /openrpc.json at the edge and the committed file are identical', async () => {
  await using daemon = await startTestDaemon()
  assert.deepEqual(await daemon.hero.rpc.discover(), openrpc)
  const answer = await fetch(`${daemon.origin.replace('127.0.0.1', 'localhost')}/openrpc.json`)
  assert.equal(await answer.text(), openrpcText)
})

test('the generated files are up to date', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'bin/generate.ts'), '--check'], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, stderr)
})

test('code, document and SDK agree on each error', () => {
  const names = Object.keys(errorTable) as ErrorName[]
  assert.deepEqual(Object.keys(openrpc.components.errors), names)
  const source = readFileSync(join(root, 'sdk/errors.ts'), 'utf8')
  const union = /export type ErrorCode =\n((?: {2}\| '\w+'\n)+)/.exec(source)![1]!
  assert.deepEqual(
    [...union.matchAll(/'(\w+)'/g)].map(([, name]) => name),
    names,
  )
  for (const name of names) {
    const { code, message } = errorTable[name]
    assert.deepEqual(openrpc.components.errors[name], { code, message, data: { code: name } })
    const thrown = new AppError(name)
    const error = toHeroError({
      code: thrown.code,
      message: thrown.message,
      data: thrown.data as { code: string },
    })
    assert.ok(error instanceof HeroError)
    assert.deepEqual(
      { code: error.code, number: error.number, message: error.message },
      { code: name, number: code, message },
    )
  }
  // The numbers come from the requirements; the old proxy used one of them twice.
  const numbers = Object.fromEntries(names.map((name) => [name, errorTable[name].code]))
  assert.deepEqual(numbers, {
    parse_error: -32700,
    invalid_request: -32600,
    method_not_found: -32601,
    invalid_params: -32602,
    internal_error: -32603,
    unauthenticated: -32001,
    factor_required: -32002,
    proof_required: -32003,
    claim_required: -32001,
    not_found: -32004,
    already_exists: -32009,
    conflict: -32010,
    session_changed: -32011,
    rate_limited: -32029,
    unavailable: -32053,
  })
})
