import { createHash, randomBytes } from 'node:crypto'
import { goodPassword, startTestDaemon, type TestDaemon } from './daemon.ts'
import { Person } from './person.ts'
import { freePort } from './free_port.ts'

export const callback = 'http://localhost:4999/callback'

/** A daemon at its public URL, with an administrator, a user and a client with a known secret. */
export const startProvider = async (settings: Record<string, string> = {}) => {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const daemon = await startTestDaemon({ public_url: issuer, listen: `127.0.0.1:${port}`, ...settings })
  const { hero } = daemon
  await hero.users.add({
    username: 'ada',
    email: 'ada@example.org',
    display_name: 'Ada Lovelace',
    password: goodPassword,
    is_admin: true,
  })
  await hero.users.add({ username: 'grace', email: 'grace@example.org', password: goodPassword })
  return { daemon, issuer }
}

export const atCallback = ({ href }: URL): boolean => href.startsWith(callback)

export const pkce = () => {
  const code_verifier = randomBytes(32).toString('base64url')
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url')
  return { code_verifier, challenge: { code_challenge, code_challenge_method: 'S256' } }
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown> & {
    readonly access_token: string
    readonly refresh_token: string
    readonly id_token: string
  }
}

/** One call of a program to an endpoint of the provider. */
export const post = async (
  address: string,
  fields: Record<string, string>,
  client?: { client: string; client_secret: string | null },
): Promise<Answer> => {
  // RFC 6749 section 2.3.1: both are form-encoded first.
  const [id, secret] = [client?.client, client?.client_secret].map((part) => encodeURIComponent(part ?? ''))
  const basic = client && Buffer.from(`${id}:${secret}`).toString('base64')
  const answer = await fetch(address, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { ...(basic !== undefined && { authorization: `Basic ${basic}` }) },
  })
  const text = await answer.text()
  return {
    status: answer.status,
    headers: answer.headers,
    body: text === '' ? {} : JSON.parse(text),
  } as never
}

export const payloadOf = (jwt: string, part = 1): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[part]!, 'base64url').toString()) as never

/** An application and the user of it, as plain requests. */
export class App {
  readonly issuer: string
  readonly client: { client: string; client_secret: string | null }
  constructor(issuer: string, client: { client: string; client_secret: string | null }) {
    this.issuer = issuer
    this.client = client
  }

  authorizeUrl(params: Record<string, string | undefined> = {}): URL {
    const url = new URL('/authorize', this.issuer)
    const all = {
      client_id: this.client.client,
      redirect_uri: callback,
      response_type: 'code',
      scope: 'openid email profile',
      state: 'xyz',
      ...params,
    }
    for (const [name, value] of Object.entries(all))
      if (value !== undefined) url.searchParams.set(name, value)
    return url
  }

  /** Signs a user in and returns the parameters of the callback. */
  async signIn(
    person: Person,
    login: string,
    params: Record<string, string | undefined> = {},
  ): Promise<URLSearchParams> {
    let page = await person.open(this.authorizeUrl(params))
    if (page.url.pathname === '/auth/login') page = await person.signIn(page, login, goodPassword)
    if (page.url.pathname.startsWith('/auth/consent/'))
      page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
    if (!atCallback(page.url)) throw new Error(`stayed at ${page.url}: ${page.status} ${page.text}`)
    return page.url.searchParams
  }

  token(fields: Record<string, string>): Promise<Answer> {
    const { client, client_secret } = this.client
    return client_secret === null
      ? post(`${this.issuer}/token`, { client_id: client, ...fields })
      : post(`${this.issuer}/token`, fields, this.client)
  }

  redeem(code: string, code_verifier: string): Promise<Answer> {
    return this.token({ grant_type: 'authorization_code', code, redirect_uri: callback, code_verifier })
  }

  refresh(refresh_token: string): Promise<Answer> {
    return this.token({ grant_type: 'refresh_token', refresh_token })
  }

  /** The whole authorization code flow, up to the tokens. */
  async tokens(person: Person, login: string, params: Record<string, string | undefined> = {}) {
    const { code_verifier, challenge } = pkce()
    const back = await this.signIn(person, login, { ...challenge, ...params })
    return this.redeem(back.get('code')!, code_verifier)
  }

  userinfo(token: string): Promise<Response> {
    return fetch(`${this.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })
  }
}

export type Provider = { daemon: TestDaemon & AsyncDisposable; issuer: string }
export const newPerson = () => new Person(atCallback)

/** A daemon whose public URL names the port where it listens, so that a browser can follow its redirects. */
export const startAtHome = async (settings: Readonly<Record<string, string>> = {}) => {
  const port = await freePort()
  return startTestDaemon({
    public_url: `http://localhost:${port}`,
    listen: `127.0.0.1:${port}`,
    ...settings,
  })
}
