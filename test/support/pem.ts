import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Files {
  readonly cert: string
  readonly key: string
}

/** A certificate authority of its own, made by openssl in a temporary folder. */
export class TestAuthority implements Disposable {
  readonly dir = mkdtempSync(join(tmpdir(), 'hp-ca-'))
  readonly ca = join(this.dir, 'ca.pem')
  readonly #caKey = join(this.dir, 'ca.key')
  #count = 0

  constructor() {
    const subject = ['-subj', '/CN=hero_proxy test', '-days', '2']
    openssl('req', '-x509', ...newKey, '-keyout', this.#caKey, '-out', this.ca, ...subject)
  }

  /** A pair for these names, in files of its own. */
  issue(...names: readonly string[]): Files {
    return this.issueFor(1, ...names)
  }

  /** The same with a validity in days from now; a negative one has expired. */
  issueFor(days: number, ...names: readonly string[]): Files {
    const base = join(this.dir, String(this.#count++))
    const [cert, key, request, extensions] = ['pem', 'key', 'csr', 'ext'].map((end) => `${base}.${end}`)
    writeFileSync(extensions!, `subjectAltName=${names.map((name) => `DNS:${name}`).join()}\n`)
    openssl('req', ...newKey, '-keyout', key!, '-out', request!, '-subj', '/CN=leaf')
    const signer = ['-CA', this.ca, '-CAkey', this.#caKey, '-CAcreateserial']
    const out = ['-out', cert!, '-days', String(days), '-extfile', extensions!]
    openssl('x509', '-req', '-in', request!, ...signer, ...out)
    return { cert: cert!, key: key! }
  }

  get caPem(): string {
    return readFileSync(this.ca, 'utf8')
  }

  [Symbol.dispose](): void {
    rmSync(this.dir, { recursive: true, force: true })
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

const openssl = (...args: readonly string[]) => execFileSync('openssl', args, { stdio: 'pipe' })

/** For `startTestDaemon`. */
export const tlsSettings = (...pairs: readonly Files[]) => ({
  tls_cert: pairs.map(({ cert }) => cert).join(),
  tls_key: pairs.map(({ key }) => key).join(),
})
