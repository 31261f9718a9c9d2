import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  isNetwork,
  networkOf,
  NetworkSet,
  readAddress,
  readNetwork,
  writeNetwork,
} from '../../src/contract/networks.ts'
import { isLocal } from '../../src/wire/outgoing_addresses.ts'

const normalized = (text: string) => {
  const network = readNetwork(text)
  return network && writeNetwork(network)
}

test('an IPv4 address has four decimal parts, and no other form is accepted', () => {
  for (const text of [
    '010.0.0.1',
    '10.0.0.01',
    '0x0a.0.0.1',
    '10.1',
    '167772161',
    '10.0.0.256',
    '10.0.0.1 ',
    '10.0.0.1.',
    '::ffff:010.0.0.1',
    '::ffff:10.1',
    '::00001',
    '1::2::3',
    ':::',
    '[::1]',
    'localhost',
    '',
  ]) {
    assert.equal(readAddress(text), undefined, text)
    assert.equal(readNetwork(text), undefined, text)
    assert.equal(isNetwork(text), false, text)
    assert.throws(() => new NetworkSet([text]), TypeError, text)
    assert.equal(new NetworkSet(['0.0.0.0/0', '::/0']).has(text), false, text)
    assert.equal(isLocal(text), true, `${text} counts as local`)
  }
})

test('a prefix length is decimal and not longer than the address', () => {
  for (const text of [
    '10.0.0.1/33',
    '10.0.0.1/-1',
    '10.0.0.1/',
    '10.0.0.1/8/8',
    '10.0.0.1/ 8',
    '10.0.0.1/1e1',
  ])
    assert.equal(isNetwork(text), false, text)
  for (const text of ['::1/129', '::1/0x40', '::1/0128', '/8']) assert.equal(isNetwork(text), false, text)
  assert.equal(normalized('10.9.8.7/8'), '10.0.0.0/8')
  assert.equal(normalized('2001:db8:ffff::1/33'), '2001:db8:8000::/33')
})

test('an IPv4-mapped IPv6 address equals its IPv4 address, and similar addresses do not', () => {
  for (const text of ['::ffff:10.0.0.1', '::FFFF:a00:1', '0:0:0:0:0:ffff:10.0.0.1'])
    assert.deepEqual(readAddress(text), { family: 4, bits: 0x0a000001n }, text)
  for (const text of ['::10.0.0.1', '::ffff:0:10.0.0.1', '64:ff9b::10.0.0.1', '1::ffff:10.0.0.1'])
    assert.equal(readAddress(text)?.family, 6, text)
  assert.equal(normalized('::ffff:10.9.8.7/104'), '10.0.0.0/8')
  assert.equal(normalized('::ffff:10.9.8.7/95'), undefined, 'wider than the mapped range')
  const ten = new NetworkSet(['10.0.0.0/8'])
  for (const [text, isIn] of [
    ['::ffff:10.1.1.1', true],
    ['::ffff:a01:101', true],
    ['::10.1.1.1', false],
  ] as const)
    assert.equal(ten.has(text), isIn, text)
})

test('an address with a zone is not accepted as a network', () => {
  assert.equal(readAddress('fe80::1%eth0'), undefined)
  assert.equal(readNetwork('fe80::1%eth0/64'), undefined)
  assert.equal(
    new NetworkSet(['fe80::/10']).has('fe80::1%eth0'),
    true,
    'an address with a zone still matches other networks',
  )
})

test('an IPv4 address counts on its own, and an IPv6 address with its /64', () => {
  assert.equal(
    networkOf('2001:db8:7:1::192.0.2.7'),
    '2001:db8:7:1::/64',
    'the embedded IPv4 address does not matter',
  )
  for (const text of ['64:ff9b::192.0.2.7', '::ffff:0:192.0.2.7', '::ffff:0:c000:207'])
    assert.equal(networkOf(text), '192.0.2.7', text)
  assert.equal(networkOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(networkOf('a socket'), 'a socket')
})

test('each network that is read has one written form and contains its own address', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6())
  fc.assert(
    fc.property(address, fc.nat(128), (one, length) => {
      const network = readNetwork(`${one}/${length}`)
      if (!network) return
      const text = writeNetwork(network)
      assert.deepEqual(readNetwork(text), network)
      assert.ok(new NetworkSet([text]).has(one), `${text} contains ${one}`)
    }),
  )
})
