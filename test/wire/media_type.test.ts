import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnyJson, isForm, isJson } from '../../src/wire/media_type.ts'

test('application/json is JSON in any case and with any parameters', () => {
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json;charset=utf-8',
    'application/json ; charset="utf-8"',
    'application/json;',
    'application/json; charset',
  ])
    assert.ok(isJson(type) && isAnyJson(type) && !isForm(type), type)
})

test('a media type that a cross-site page may send without a CORS preflight is not JSON, whatever follows it', () => {
  for (const type of [
    undefined,
    '',
    'text/plain',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'text/plain; application/json',
    'text/plain;application/json;',
    'text/plain, application/json',
    'application/json, text/plain',
    'text/plain; x="; application/json"',
    'text/plain application/json',
    'application/jsonp',
    'application/json+x',
    'application/json/x',
    'x/application/json',
    '"application/json"',
    ';application/json',
    'application /json',
    'application/json\u00a0',
    'json',
  ])
    assert.ok(!isJson(type) && !isAnyJson(type), type)
})

test('a +json media type counts as JSON only where any JSON type is accepted', () => {
  for (const type of ['application/jwk-set+json', 'application/ld+json; profile=x'])
    assert.ok(isAnyJson(type) && !isJson(type), type)
  for (const type of ['text/x+json', 'application/+json', 'application/x json'])
    assert.ok(!isAnyJson(type), type)
})

test('only application/x-www-form-urlencoded is a form', () => {
  assert.ok(isForm('application/x-www-form-urlencoded; charset=UTF-8'))
  for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded-x', 'multipart/form-data'])
    assert.ok(!isForm(type), type)
})
