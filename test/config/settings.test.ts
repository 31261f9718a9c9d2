import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { ConfigError, type Config } from '../../src/config/config.ts'
import { flagOf, readConfig } from '../../src/config/read.ts'
import { settings } from '../../src/config/table.ts'

const long = 'x'.repeat(32)

/** For each setting: accepted texts with their values, and refused ones. */
const values: Record<keyof Config, { good: [string, unknown][]; bad: string[] }> = {
  data_dir: {
    good: [
      ['/srv/hero', '/srv/hero'],
      ['~/hero', join(homedir(), 'hero')],
      ['here', join(process.cwd(), 'here')],
    ],
    bad: [''],
  },
  database_url: {
    good: [
      ['sqlite:/srv/a.db', 'sqlite:/srv/a.db'],
      ['postgres://u:p@h/d', 'postgres://u:p@h/d'],
      ['postgresql://h/d', 'postgresql://h/d'],
    ],
    bad: ['', 'hunter2', 'sqlite:', 'mysql://root:hunter2@h/d', '/srv/hunter2.db'],
  },
  socket_dir: {
    good: [
      ['/run', '/run'],
      ['~', homedir()],
    ],
    bad: [''],
  },
  listen: {
    good: [
      ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
      ['[::1]:9997', { host: '::1', port: 9997 }],
      ['localhost:65535', { host: 'localhost', port: 65535 }],
      ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ],
    bad: ['', '9997', ':9997', '127.0.0.1', '127.0.0.1:65536', '127.0.0.1:x', '::1:80', '1.2.3:80', 'a b:1'],
  },
  public_url: {
    good: [
      ['https://id.example.org', 'https://id.example.org'],
      ['http://localhost:9997/', 'http://localhost:9997'],
      ['HTTPS://ID.Example.org:443', 'https://id.example.org'],
    ],
    bad: [
      '',
      'id.example.org',
      'ftp://h',
      'https://h/path',
      'https://h/?q',
      'https://h/#f',
      'https://u:p@h',
      'x',
    ],
  },
  previous_public_urls: {
    good: [
      ['https://old.example.org/', ['https://old.example.org']],
      [
        'https://old.example.org, http://OLDER.example.org:8080',
        ['https://old.example.org', 'http://older.example.org:8080'],
      ],
    ],
    bad: ['old.example.org', 'https://old.example.org/path', 'https://old.example.org,ftp://x'],
  },
  secret: { good: [[long, long]], bad: ['', 'hunter2', 'x'.repeat(31)] },
  operator_token: {
    good: [[long, long]],
    bad: ['', 'hunter2', 'x'.repeat(31), `${long} ${long}`, `${long}ü`, `${long}\n`, `${long}!`],
  },
  bearer_token: {
    good: [
      [long, long],
      [`${long}._~+/-==`, `${long}._~+/-==`],
    ],
    bad: ['', 'hunter2', 'x'.repeat(31), 'x'.repeat(257), `${long} ${long}`, `${long}ü`, `${long}=x`],
  },
  trusted_proxies: {
    good: [
      ['10.0.0.0/8,::1', ['10.0.0.0/8', '::1']],
      [' 10.0.0.1 , fd00::/8 ', ['10.0.0.1', 'fd00::/8']],
      ['', []],
    ],
    bad: ['10.0.0.0/33', '::1/129', 'localhost', '10.0.0', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '*'],
  },
  forward_auth_from: {
    good: [
      ['10.0.0.0/8,::1', ['10.0.0.0/8', '::1']],
      [' 10.0.0.1 , fd00::/8 ', ['10.0.0.1', 'fd00::/8']],
      ['', []],
    ],
    bad: ['10.0.0.0/33', '::1/129', 'localhost', '10.0.0', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0.0/-1', '*'],
  },
  workers: {
    good: [
      ['2', 2],
      ['64', 64],
    ],
    bad: ['', '0', '65', '-1', '1.5', 'two', ' 2', '0x2', '1e1'],
  },
  max_connections: {
    good: [
      ['1', 1],
      ['1000000', 1_000_000],
    ],
    bad: ['', '0', '1000001', '-1', '1.5', 'many', '99999999'],
  },
  max_head_bytes: {
    good: [
      ['131072', 131_072],
      ['16384', 16_384],
    ],
    bad: ['', '16383', '131073', '64k', '-1', '1e5'],
  },
  tls_cert: {
    good: [
      ['/etc/a.pem', ['/etc/a.pem']],
      ['/etc/a.pem, ~/b.pem', ['/etc/a.pem', join(homedir(), 'b.pem')]],
    ],
    bad: ['', '/etc/a.pem,', ','],
  },
  tls_key: {
    good: [
      ['/etc/a.key', ['/etc/a.key']],
      ['/etc/a.key,/etc/b.key', ['/etc/a.key', '/etc/b.key']],
    ],
    bad: ['', ',/etc/a.key'],
  },
  acme_directory: {
    good: [
      ['https://acme.example.org/directory', 'https://acme.example.org/directory'],
      ['https://127.0.0.1:14000/dir', 'https://127.0.0.1:14000/dir'],
    ],
    bad: ['', 'acme.example.org', 'http://acme.example.org/directory', 'file:///etc'],
  },
  acme_email: {
    good: [
      ['ada@example.org', 'ada@example.org'],
      ['a+b@x.org', 'a+b@x.org'],
    ],
    bad: ['', 'ada', 'ada@', '@example.org', 'a@b@c', 'a b@c.org'],
  },
  plain_listen: {
    good: [
      ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
      ['[::]:0', { host: '::', port: 0 }],
    ],
    bad: ['', '80', ':80', '127.0.0.1', '127.0.0.1:65536', 'a b:1'],
  },
  fast_lane: {
    good: [
      ['off', 'off'],
      ['on', 'on'],
    ],
    bad: ['', 'yes', 'true', '1'],
  },
  log_level: {
    good: [
      ['debug', 'debug'],
      ['silent', 'silent'],
    ],
    bad: ['', 'verbose', 'INFO', 'trace'],
  },
}

const refusal = (read: () => Config): string => {
  try {
    read()
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.ok(!error.message.includes('\n'), 'the error has one line')
    return error.message
  }
  return assert.fail('not refused')
}

describe('startup settings', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-config-'))
  after(() => rmSync(dir, { recursive: true, force: true }))
  const toml = join(dir, 'hero_proxy.toml')
  beforeEach(() => rmSync(toml, { force: true, recursive: true }))
  const inDir = { HERO_PROXY_DATA_DIR: dir }

  test('the defaults', () => {
    const config = readConfig({}, inDir)
    assert.deepEqual(config, {
      data_dir: dir,
      database_url: `sqlite:${join(dir, 'hero_proxy.db')}`,
      socket_dir: join(homedir(), 'hero', 'var', 'sockets'),
      listen: { host: '127.0.0.1', port: 9997 },
      public_url: 'http://localhost:9997',
      previous_public_urls: [],
      secret: undefined,
      operator_token: undefined,
      bearer_token: undefined,
      trusted_proxies: [],
      forward_auth_from: [],
      workers: 1,
      max_connections: 10_000,
      max_head_bytes: 16_384,
      fast_lane: 'on',
      tls_cert: [],
      tls_key: [],
      acme_directory: undefined,
      acme_email: undefined,
      plain_listen: undefined,
      log_level: 'info',
    })
  })

  for (const row of settings) {
    const { name, env } = row
    const { good, bad } = values[name]

    test(`${name}: valid values are accepted`, () => {
      for (const [text, value] of good) {
        assert.deepEqual(readConfig({ data_dir: dir, [name]: text }, {})[name], value, text)
      }
    })

    test(`${name}: an invalid value is refused with its flag, the value and what is allowed`, () => {
      for (const text of bad) {
        const message = refusal(() => readConfig({ data_dir: dir, [name]: text }, {}))
        assert.ok(message.startsWith(`${flagOf(name)}: `), message)
        assert.ok(message.endsWith(` is not allowed; allowed: ${row.allowed}`), message)
        if ('secret' in row) assert.doesNotMatch(message, /hunter2|x{20}/)
        else assert.ok(message.includes(JSON.stringify(text)), message)
      }
    })

    test(`${name}: each environment variable and its _FILE variant are read`, () => {
      const [text, value] = good[0]!
      const wrong = bad.find((one) => one.trim() !== '')
      for (const variable of env) {
        assert.deepEqual(readConfig({}, { ...inDir, [variable]: text })[name], value)
        const file = join(dir, `${variable}.secret`)
        writeFileSync(file, `${text}\n`, { mode: 0o600 })
        const without = name === 'data_dir' ? {} : inDir
        assert.deepEqual(readConfig({}, { ...without, [`${variable}_FILE`]: file })[name], value)
        if (wrong === undefined) continue
        const message = refusal(() => readConfig({}, { ...inDir, [variable]: wrong }))
        assert.ok(message.startsWith(`${variable}: `), message)
        writeFileSync(file, wrong)
        const twin = refusal(() => readConfig({}, { ...inDir, [`${variable}_FILE`]: file }))
        assert.ok(twin.startsWith(`${variable}_FILE: `), twin)
        if ('secret' in row) assert.doesNotMatch(message + twin, /hunter2/)
      }
    })

    if (name === 'data_dir') continue
    test(`${name}: flags override the environment, which overrides the file, which overrides the default`, () => {
      const [[first, fromFile], [second, other] = ['', undefined]] = good as [
        [string, unknown],
        [string, unknown]?,
      ]
      const variable: string = env[0]!
      const fallback = readConfig({}, inDir)[name]
      writeFileSync(toml, `${name} = ${JSON.stringify(first)}\n`)
      assert.deepEqual(readConfig({}, inDir)[name], fromFile)
      assert.notDeepEqual(fallback, fromFile)
      const differs = second || 'y'.repeat(32)
      const differing = other ?? 'y'.repeat(32)
      assert.deepEqual(readConfig({}, { ...inDir, [variable]: differs })[name], differing)
      assert.deepEqual(readConfig({ [name]: first }, { ...inDir, [variable]: differs })[name], fromFile)
      // An empty variable counts as not set.
      assert.deepEqual(readConfig({}, { ...inDir, [variable]: '' })[name], fromFile)
    })

    test(`${name}: an invalid value in the file is refused with the file's name and its key`, () => {
      const wrong = bad.find((text) => text !== '')
      writeFileSync(toml, `${name} = ${wrong === undefined ? '""' : JSON.stringify(wrong)}\n`)
      const message = refusal(() => readConfig({}, inDir))
      assert.ok(message.startsWith(`hero_proxy.toml: ${name}: `), message)
      if ('secret' in row) assert.doesNotMatch(message, /hunter2/)
    })
  }

  test('PATH_SOCKET replaces HERO_SOCKET_DIR if that is not set', () => {
    assert.equal(readConfig({}, { ...inDir, PATH_SOCKET: '/a' }).socket_dir, '/a')
    assert.equal(readConfig({}, { ...inDir, PATH_SOCKET: '/a', HERO_SOCKET_DIR: '/b' }).socket_dir, '/b')
  })

  test('a secret file is read only if nobody else can read it', () => {
    const file = join(dir, 'secret')
    writeFileSync(file, `${long}\n`)
    const read = () => readConfig({}, { ...inDir, HERO_SECRET_FILE: file })
    for (const mode of [0o644, 0o640, 0o604, 0o660, 0o610, 0o601, 0o777]) {
      chmodSync(file, mode)
      assert.equal(refusal(read), `HERO_SECRET_FILE: ${file} is readable by others; chmod 600 it`)
    }
    for (const mode of [0o600, 0o400]) {
      chmodSync(file, mode)
      assert.equal(read().secret, long)
    }
    rmSync(file)
    assert.equal(refusal(read), `HERO_SECRET_FILE: cannot read ${file} (ENOENT)`)
    mkdirSync(file, { mode: 0o700 })
    assert.equal(refusal(read), `HERO_SECRET_FILE: cannot read ${file} (EISDIR)`)
  })

  test('the file: unknown keys, invalid TOML and data_dir are refused', () => {
    const errorFor = (text: string | Buffer) => {
      writeFileSync(toml, text)
      return refusal(() => readConfig({}, inDir))
    }
    assert.match(
      errorFor('listn = "127.0.0.1:1"\n'),
      /hero_proxy\.toml: listn is not a setting; allowed: data_dir, /,
    )
    assert.match(errorFor('__proto__ = "x"\n'), /hero_proxy\.toml: /)
    assert.match(errorFor('listen = \n'), /hero_proxy\.toml: .*Invalid TOML/)
    assert.match(errorFor('data_dir = "/elsewhere"\n'), /data_dir cannot be set by a file inside it/)
    assert.match(errorFor('listen = 9997\n'), /hero_proxy\.toml: listen: "9997" is not allowed/)
    assert.match(errorFor('[listen]\nport = 1\n'), /hero_proxy\.toml: listen: .* is not allowed/)
    assert.match(errorFor('log_level = true\n'), /hero_proxy\.toml: log_level: "true" is not allowed/)
    writeFileSync(toml, 'trusted_proxies = ["10.0.0.0/8", "::1"]\n')
    assert.deepEqual(readConfig({}, inDir).trusted_proxies, ['10.0.0.0/8', '::1'])
    rmSync(toml)
    mkdirSync(toml)
    assert.match(
      refusal(() => readConfig({}, inDir)),
      /hero_proxy\.toml: cannot be read \(EISDIR\)/,
    )
  })
})
