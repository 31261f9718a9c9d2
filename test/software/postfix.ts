import { execFile, execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { simpleParser, type ParsedMail } from 'mailparser'
import { freePort } from '../support/free_port.ts'

const binary = '/usr/sbin/postfix'
/** Debian's user nobody: postfix does not deliver as root. */
const boxOwner = 65534

/** Why tests with postfix cannot run here, or undefined if they can. */
export const postfixMissing = (): string | undefined => {
  if (!existsSync(binary)) return 'postfix is not installed (Debian: apt-get install postfix)'
  if (userInfo().uid !== 0) return 'postfix can only be started by root'
  return undefined
}

export interface TestPostfix extends AsyncDisposable {
  readonly port: number
  /** Its self-signed certificate for the name localhost, as PEM. */
  readonly cert: string
  start(): Promise<void>
  stop(): Promise<void>
  /** All mail in the mailbox of an address. */
  mails(address: string): Promise<ParsedMail[]>
  /** The log so far. */
  log(): string
}

/** One listener and the services that deliver to a mailbox, but none that would send mail on. */
const services = (port: number) => `
127.0.0.1:${port} inet n - n - - smtpd
cleanup    unix       n - n - 0 cleanup
qmgr       unix       n - n 300 1 qmgr
tlsmgr     unix       - - n 1000? 1 tlsmgr
proxymap   unix       - - n - - proxymap
rewrite    unix       - - n - - trivial-rewrite
bounce     unix       - - n - 0 bounce
defer      unix       - - n - 0 bounce
error      unix       - - n - - error
retry      unix       - - n - - error
virtual    unix       - n n - - virtual
anvil      unix       - - n - 1 anvil
postlog    unix-dgram n - n - 1 postlogd
`

const settings = (dir: string, boxes: readonly string[]) => `
compatibility_level = 3.6
queue_directory = ${dir}/queue
data_directory = ${dir}/data
maillog_file = ${dir}/log
maillog_file_prefixes = ${dir}
myhostname = mail.example.org
inet_protocols = ipv4
inet_interfaces = 127.0.0.1
mydestination =
alias_maps =
alias_database =
default_transport = error:no mail leaves the test
smtpd_peername_lookup = no
smtpd_relay_restrictions = reject_unauth_destination
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = ${dir}/cert.pem
smtpd_tls_key_file = ${dir}/key.pem
smtpd_tls_loglevel = 1
virtual_mailbox_domains = example.org
virtual_mailbox_base = ${dir}/boxes
virtual_mailbox_maps = inline:{ ${boxes.map((box) => `${box}=${box}/`).join(', ')} }
virtual_uid_maps = static:${boxOwner}
virtual_gid_maps = static:${boxOwner}
`

const newCertificate = (dir: string): string => {
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  execFileSync('openssl', ['req', ...kind, ...name, '-out', cert, '-keyout', key], { stdio: 'pipe' })
  return readFileSync(cert, 'utf8')
}

/** Whether a process has its working directory in this folder, as all of postfix has in its queue. */
const worksIn = (dir: string) => (pid: string) => {
  try {
    return readlinkSync(`/proc/${pid}/cwd`).startsWith(dir)
  } catch {
    return false
  }
}

/** Starts a postfix that accepts mail by STARTTLS for these addresses of example.org, and refuses all other. */
export const startPostfix = async (...boxes: readonly string[]): Promise<TestPostfix> => {
  const dir = mkdtempSync(join(tmpdir(), 'postfix-'))
  // Its processes run as several users.
  chmodSync(dir, 0o755)
  const [config, kept] = [join(dir, 'config'), join(dir, 'boxes')]
  for (const folder of [config, kept, join(dir, 'queue')]) mkdirSync(folder)
  chownSync(kept, boxOwner, boxOwner)
  const cert = newCertificate(dir)
  const port = await freePort()
  writeFileSync(join(config, 'main.cf'), settings(dir, boxes))
  writeFileSync(join(config, 'master.cf'), services(port))
  const log = () => (existsSync(join(dir, 'log')) ? readFileSync(join(dir, 'log'), 'utf8') : '')
  const run = async (command: string) => {
    await promisify(execFile)(binary, ['-c', config, command]).catch((error: Error) => {
      throw new Error(`${error.message}\n${log()}`)
    })
  }
  const running = () => readdirSync('/proc').some(worksIn(dir))
  const postfix: TestPostfix = {
    port,
    cert,
    log,
    start: () => run('start'),
    stop: async () => {
      await run('stop')
      for (let i = 0; running(); i++) {
        if (i === 400) throw new Error(`postfix still runs\n${log()}`)
        await delay(25)
      }
    },
    mails: async (address) => {
      const box = join(kept, address, 'new')
      const files = existsSync(box) ? readdirSync(box) : []
      return Promise.all(files.map((file) => simpleParser(readFileSync(join(box, file)))))
    },
    [Symbol.asyncDispose]: async () => {
      if (running()) await postfix.stop()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  try {
    await postfix.start()
    return postfix
  } catch (error) {
    await postfix[Symbol.asyncDispose]()
    throw error
  }
}
