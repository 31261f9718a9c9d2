import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientAddresses, isLocalClient, isLocated } from '../../src/wire/client_address.ts'

const asked = (remoteAddress: string | undefined, ...headers: string[]) =>
  isLocalClient({ rawHeaders: ['Host', 'x', ...headers], httpVersion: '1.1', socket: { remoteAddress } })

test('loopback, private and link-local peers are local', () => {
  const inside = ['127.0.0.1', '127.9.9.9', '10.1.1.1', '172.16.0.1', '172.31.255.255', '192.168.1.1']
  for (const address of [
    ...inside,
    ...inside.map((v4) => `::ffff:${v4}`),
    '169.254.1.1',
    '::1',
    'fd00::1',
    'fe80::1',
  ])
    assert.ok(asked(address), address)
  const outside = ['8.8.8.8', '172.15.0.1', '172.32.0.1', '192.169.0.1', '11.0.0.1', '100.64.0.1', '0.0.0.0']
  for (const address of [...outside, '::ffff:8.8.8.8', '2001:db8::1', '::', '', 'x', undefined])
    assert.ok(!asked(address), address)
})

test('no header in any spelling says that a proxy stands in between', () => {
  for (const name of [
    'X-Forwarded-For',
    'x-forwarded-proto',
    'X_Forwarded_For',
    'X-Real-IP',
    'Forwarded',
    'FORWARDED',
    'Via',
    'CF-Connecting-IP',
    'Cdn-Loop',
    'True-Client-IP',
    'true_client_ip',
    'X-Client-IP',
    'Fastly-Client-IP',
  ])
    assert.ok(!asked('127.0.0.1', name, 'x'), name)
  assert.ok(asked('127.0.0.1', 'Accept', 'Via', 'User-Agent', 'X-Forwarded-For'))
})

test('an address is located without a sign of a proxy before us, or by the word of a trusted one', () => {
  const peers = new ClientAddresses(['192.0.2.1'], () => {})
  const located = (remoteAddress: string, headers: string[], address = remoteAddress, addressKnown = true) =>
    isLocated(
      { rawHeaders: ['Host', 'x', ...headers], httpVersion: '1.1', socket: { remoteAddress } } as never,
      { address, addressKnown },
      peers,
    )
  assert.ok(located('198.51.100.1', ['User-Agent', 'x']))
  assert.ok(located('2001:db8::1', []))
  for (const header of [
    'X-Forwarded-For',
    'x_forwarded_for',
    'X-Real-IP',
    'Forwarded',
    'Via',
    'CF-Connecting-IP',
  ])
    assert.ok(!located('198.51.100.1', [header, '198.51.100.7']), header)
  for (const shared of [
    '127.0.0.1',
    '172.17.0.1',
    '192.168.1.1',
    '::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '100.64.3.4',
    '198.19.0.1',
  ])
    assert.ok(!located(shared, []), shared)
  const forwarded = ['X-Forwarded-For', '198.51.100.7']
  assert.ok(located('192.0.2.1', forwarded, '198.51.100.7'))
  assert.ok(!located('192.0.2.1', forwarded, '198.51.100.7', false))
  assert.ok(!located('192.0.2.1', [], '192.0.2.1'))
})
