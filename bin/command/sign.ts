import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { CommanderError, type Command } from 'commander'
import { publicKeyOf, signRequest } from '../../sdk/signed_request.ts'

interface Flags {
  readonly keyFile?: string
  readonly data?: string
  readonly json?: boolean
  readonly newKey?: string
}

const refuse = (message: string, status = 2) => {
  console.error(`hero-proxy sign: ${message}`)
  return new CommanderError(status, 'hero-proxy.sign', message)
}

const reason = (error: unknown) => (error as NodeJS.ErrnoException).code ?? (error as Error).message

const makeKey = (file: string): void => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  try {
    // Never overwrite an existing key: it may be the only copy.
    writeFileSync(file, pem, { flag: 'wx', mode: 0o600 })
  } catch (error) {
    throw refuse(`cannot create ${file} (${reason(error)})`, 1)
  }
  console.log(publicKeyOf(privateKey))
}

const readKey = (file: string): string => {
  try {
    if ((statSync(file).mode & 0o077) === 0) return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw refuse(`--key-file: cannot read ${file} (${reason(error)})`, 1)
  }
  throw refuse(`--key-file: ${file} is readable by others; chmod 600 it`, 1)
}

/** The bytes that curl's --data-binary @FILE sends. */
const readData = (source: string): Buffer => {
  const file = source.replace(/^@/, '')
  try {
    return readFileSync(file === '-' ? 0 : file)
  } catch (error) {
    throw refuse(`--data: cannot read ${file} (${reason(error)})`, 1)
  }
}

/** Parses the URL. Refuses one that clients send in another form than it is written, because the signature would not match. */
const readUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw refuse('URL must be an http or https address')
  const [, written = ''] = /^https?:\/\/[^/?#]*([^#]*)/i.exec(text) ?? []
  const sent = url.pathname + url.search
  if (sent !== written && sent !== `/${written}`)
    throw refuse(`write the URL as it is sent, with the path and query ${sent}`)
  return url
}

const signOne = (method: string, url: string, { keyFile, data, json }: Flags): void => {
  if (keyFile === undefined) throw refuse('--key-file is needed; --new-key creates a key')
  let headers
  try {
    headers = signRequest({
      method,
      url: readUrl(url),
      body: data === undefined ? undefined : readData(data),
      privateKey: readKey(keyFile),
    })
  } catch (error) {
    if (error instanceof CommanderError) throw error
    throw refuse('--key-file: not a private key of secp256k1, in PEM or 32 bytes in hex', 1)
  }
  if (json) return console.log(JSON.stringify(headers, null, 2))
  // No spaces or quotes, so that the shell can pass the output directly to curl.
  for (const [name, value] of Object.entries(headers)) console.log(`-H ${name}:${value}`)
}

export const addSignCommand = (program: Command): void => {
  program
    .command('sign')
    .description('sign a request for a route with auth_mode signature: curl $(hero-proxy sign GET URL …) URL')
    .argument('[method]', 'such as GET or POST')
    .argument('[url]', 'as it will be sent')
    .option('--key-file <file>', 'the private key, a file that only you can read')
    .option('--data <file>', 'the body, exactly as it will be sent; @- reads standard input')
    .option('--json', 'print the headers as JSON')
    .option('--new-key <file>', 'create a key and print its public part, for users.keys.add')
    .action((method: string | undefined, url: string | undefined, flags: Flags) => {
      if (flags.newKey !== undefined) return makeKey(flags.newKey)
      if (method === undefined || url === undefined) throw refuse('METHOD and URL are needed')
      signOne(method, url, flags)
    })
}
