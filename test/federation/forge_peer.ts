import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeServer } from '../support/openid_peer.ts'

interface ForgeAccount {
  readonly id: number
  readonly login: string
  readonly name: string | null
  readonly email: string | null
  readonly emails: readonly { email: string; primary: boolean; verified: boolean }[]
}

/**
 * A plain OAuth 2.0 server shaped like the documented endpoints of GitHub or Forgejo.
 * GitHub reports errors with 200, answers form-encoded unless JSON is requested, demands a User-Agent, and often has no
 * address in the profile.
 */
export const startForge = async (shape: 'github' | 'forgejo') => {
  const accounts = new Map<string, ForgeAccount>()
  const codes = new Map<string, { login: string; challenge: string; redirect: string }>()
  const tokens = new Map<string, ForgeAccount>()
  const client = { client: 'Iv1.hero', client_secret: 'the secret of the forge' }
  const [userPath, emailsPath] =
    shape === 'github' ? ['/user', '/user/emails'] : ['/api/v1/user', '/api/v1/user/emails']
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://localhost:${(server.address() as AddressInfo).port}`

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url!, base)
    let body = ''
    for await (const part of request) body += String(part)
    const form = new URLSearchParams(body)
    const json = (status: number, value: unknown) =>
      response
        .writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify(value))
    if (url.pathname === '/login/oauth/authorize' && request.method === 'GET') {
      response.setHeader('content-type', 'text/html')
      response.end(
        `<title>The forge</title><form method="post" action="/login/oauth/authorize${url.search.replaceAll('&', '&amp;')}"><label>Login <input name="login" value=""></label><button>Authorize</button></form>`,
      )
      return
    }
    if (url.pathname === '/login/oauth/authorize') {
      const back = new URL(url.searchParams.get('redirect_uri')!)
      const account = accounts.get(form.get('login') ?? '')
      back.searchParams.set('state', url.searchParams.get('state')!)
      if (account) {
        const code = randomUUID()
        codes.set(code, {
          login: account.login,
          challenge: url.searchParams.get('code_challenge') ?? '',
          redirect: url.searchParams.get('redirect_uri')!,
        })
        back.searchParams.set('code', code)
      } else back.searchParams.set('error', 'access_denied')
      response.writeHead(302, { location: back.href, connection: 'close' }).end(() => dies && void close())
      return
    }
    if (url.pathname === '/login/oauth/access_token') {
      const fail = (error: string, status: number) =>
        json(shape === 'github' ? 200 : status, { error, error_description: error })
      if (!request.headers.accept?.includes('application/json')) {
        response.end('access_token=only-json-is-read')
        return
      }
      const basic = Buffer.from((request.headers.authorization ?? '').slice(6), 'base64').toString()
      // Like the real ones, it does not decode the Basic credentials.
      const known = basic === `${client.client}:${client.client_secret}`
      const posted =
        form.get('client_id') === client.client && form.get('client_secret') === client.client_secret
      if (!posted && !known)
        return void fail(shape === 'github' ? 'incorrect_client_credentials' : 'invalid_client', 401)
      const code = codes.get(form.get('code') ?? '')
      codes.delete(form.get('code') ?? '')
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url')
      if (!code || code.challenge !== challenge || code.redirect !== form.get('redirect_uri'))
        return void fail(shape === 'github' ? 'bad_verification_code' : 'unauthorized_client', 400)
      const access_token = `gho_${randomUUID()}`
      tokens.set(access_token, accounts.get(code.login)!)
      return void json(200, { access_token, token_type: 'bearer', scope: 'read:user,user:email' })
    }
    const account = tokens.get((request.headers.authorization ?? '').replace(/^(bearer|token) /i, ''))
    if (!request.headers['user-agent'] || !account)
      return void json(account ? 403 : 401, { message: 'Bad credentials' })
    const { id, login, name, email, emails } = account
    if (url.pathname === userPath)
      return void json(200, {
        id,
        login,
        email,
        ...(shape === 'github' ? { name } : { full_name: name }),
        avatar_url: `https://avatars.example.org/${id}`,
      })
    if (url.pathname === emailsPath) return void json(200, emails)
    json(404, { message: 'Not Found' })
  }
  const close = () => closeServer(server)
  let dies = false
  return {
    /** Answers the next authorization and closes the server. */
    diesAfterAnswering: () => {
      dies = true
    },
    base,
    accounts,
    client,
    /** The arguments of `providers.add` for the preset oauth2, since the other presets have fixed URLs. */
    fields: {
      preset: 'oauth2' as const,
      authorization_endpoint: `${base}/login/oauth/authorize`,
      token_endpoint: `${base}/login/oauth/access_token`,
      userinfo_endpoint: `${base}${userPath}`,
      emails_endpoint: `${base}${emailsPath}`,
      scopes: ['read:user', 'user:email'],
      ...client,
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
