import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAnyJson, isForm, isJson } from '../../src/wire/media_type.ts'

test('JSON is what names this very type, in any case and with any parameters', () => {
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

test('what a page of another site may send without asking is no JSON, whatever stands behind it', () => {
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

test('JSON under another name counts where any may come', () => {
  for (const type of ['application/jwk-set+json', 'application/ld+json; profile=x'])
    assert.ok(isAnyJson(type) && !isJson(type), type)
  for (const type of ['text/x+json', 'application/+json', 'application/x json'])
    assert.ok(!isAnyJson(type), type)
})

test('a form is what names this very type', () => {
  assert.ok(isForm('application/x-www-form-urlencoded; charset=UTF-8'))
  for (const type of [undefined, 'text/plain', 'application/x-www-form-urlencoded-x', 'multipart/form-data'])
    assert.ok(!isForm(type), type)
})
