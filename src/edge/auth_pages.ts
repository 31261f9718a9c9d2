import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Identification } from '../auth/identify.ts'
import { readBody } from '../body.ts'
import { guest, type Caller } from '../caller.ts'
import { AppError, errorTable } from '../errors.ts'
import type { Call } from '../method.ts'
import { isNavigation, ownHeaders, redirect, send, tell } from './answers.ts'
import type { Asked } from './asked.ts'
import { sessionCookieName, type CookiePolicy } from './cookie_policy.ts'
import { readCookie, setCookie } from './cookies.ts'
import type { FormGuard } from './csrf.ts'
import { mePage, signOutPage } from './pages/me.ts'
import { setupPage } from './pages/setup.ts'
import { signInPage } from './pages/sign_in.ts'
import { safeNext } from './safe_next.ts'
import { allValues } from './visitor.ts'

const maxForm = 64 * 1024

interface Parts {
  readonly call: Call
  readonly identification: Identification
  readonly cookies: CookiePolicy
  readonly forms: FormGuard
}

interface Opened {
  readonly access_token: string
  readonly expires_in: number
}

interface Me {
  readonly user: string
  readonly display_name: string
  readonly email: string | null
  readonly claims: readonly string[]
}

/** The pages of signing in and out. They decide nothing: every form ends in the method of the same name. */
export class AuthPages {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  readonly signIn = async (
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
  ): Promise<void> => {
    const returnTo = safeNext(query(asked).get('return_to'))
    if (await this.#caller(request, asked)) return redirect(response, asked, 302, returnTo)
    await this.#page(request, response, asked, 200, (token) =>
      signInPage({ place: asked.host, token, returnTo }),
    )
  }

  readonly postSignIn = async (
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
  ): Promise<void> => {
    const form = await this.#form(request, response, asked)
    if (!form) return
    const login = form.get('login') ?? ''
    const returnTo = safeNext(form.get('return_to'))
    await this.#open(
      request,
      response,
      asked,
      'auth.login',
      { login, password: form.get('password') ?? '' },
      returnTo,
      (token, problem) => signInPage({ place: asked.host, token, returnTo, login, problem }),
    )
  }

  readonly setup = async (
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
  ): Promise<void> => {
    const setupToken = query(asked).get('token') ?? ''
    await this.#page(request, response, asked, 200, (token) =>
      setupPage({ place: asked.host, token, setupToken }),
    )
  }

  readonly postSetup = async (
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
  ): Promise<void> => {
    const form = await this.#form(request, response, asked)
    if (!form) return
    const username = form.get('username') ?? ''
    const email = form.get('email') ?? ''
    const setupToken = form.get('token') ?? ''
    const params = { username, email, password: form.get('password') ?? '', token: setupToken }
    await this.#open(request, response, asked, 'auth.setup', params, '/auth/me', (token, problem) =>
      setupPage({ place: asked.host, token, setupToken, username, email, problem }),
    )
  }

  readonly signOut = async (
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
  ): Promise<void> => {
    if (!(await this.#caller(request, asked))) return redirect(response, asked, 302, '/auth/login')
    await this.#page(request, response, asked, 200, (token) => signOutPage({ place: asked.host, token }))
  }

  readonly postSignOut = async (
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
  ): Promise<void> => {
    const form = await this.#form(request, response, asked)
    if (!form) return
    const caller = await this.#caller(request, asked)
    if (caller) await this.#parts.call('auth.logout', {}, caller)
    redirect(response, asked, 303, '/auth/login', [
      setCookie(sessionCookieName(await this.#parts.cookies.at(asked)), '', 0),
    ])
  }

  readonly me = async (request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> => {
    const caller = await this.#caller(request, asked)
    if (!isNavigation(request)) {
      if (!caller)
        return tell(request, response, asked, {
          status: 401,
          title: 'Not signed in',
          text: 'Sign in at /auth/login.',
          code: 'unauthenticated',
        })
      return send(
        response,
        200,
        'application/json',
        JSON.stringify(await this.#parts.call('auth.me', {}, caller)),
        ownHeaders(asked),
      )
    }
    if (!caller) return redirect(response, asked, 302, '/auth/login')
    const me = (await this.#parts.call('auth.me', {}, caller)) as Me
    await this.#page(request, response, asked, 200, (token) => mePage({ ...me, place: asked.host, token }))
  }

  /** Runs the method that opens a session and sets its cookie, or shows the form again with what went wrong. */
  async #open(
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
    method: 'auth.login' | 'auth.setup',
    params: Record<string, string>,
    returnTo: string,
    again: (token: string, problem: string) => string,
  ): Promise<void> {
    const before = await this.#caller(request, asked)
    let opened
    try {
      opened = (await this.#parts.call(method, params, this.#guest(request, asked))) as Opened
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      const retry = error.data.retry_after
      const headers: Record<string, string> =
        typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
      return this.#page(
        request,
        response,
        asked,
        errorTable[error.error].http,
        (token) => again(token, inWords(error)),
        headers,
      )
    }
    // One browser, one identity: whoever was signed in here before is not any more.
    if (before) await this.#parts.call('auth.logout', {}, before).catch(() => {})
    const name = sessionCookieName(await this.#parts.cookies.at(asked))
    redirect(response, asked, 303, returnTo, [setCookie(name, opened.access_token, opened.expires_in)])
  }

  async #page(
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
    status: number,
    body: (token: string) => string,
    headers: Record<string, string> = {},
  ): Promise<void> {
    const state = await this.#parts.cookies.at(asked)
    if (state === 'refused') return needsHttps(request, response, asked)
    const { token, setCookie } = this.#parts.forms.issue(request, asked, state === 'secure')
    const cookies: Record<string, string> = setCookie === undefined ? {} : { 'set-cookie': setCookie }
    send(response, status, 'text/html; charset=utf-8', body(token), {
      ...ownHeaders(asked),
      ...headers,
      ...cookies,
    })
  }

  /** The fields of a form that one of our pages posted, or undefined after an answer that says what is wrong. */
  async #form(
    request: IncomingMessage,
    response: ServerResponse,
    asked: Asked,
  ): Promise<URLSearchParams | undefined> {
    const state = await this.#parts.cookies.at(asked)
    if (state === 'refused') return void needsHttps(request, response, asked)
    if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(request.headers['content-type'] ?? '')) {
      return void tell(request, response, asked, {
        status: 415,
        title: 'Not a form',
        text: 'This address takes application/x-www-form-urlencoded; programs call the methods at /rpc.',
        code: 'unsupported_media_type',
      })
    }
    const body = await readBody(request, response, maxForm)
    if (body === undefined) return undefined
    const form = new URLSearchParams(body.toString('utf8'))
    if (this.#parts.forms.verify(request, asked, state === 'secure', form.get('form_token'))) return form
    return void tell(request, response, asked, {
      status: 403,
      title: 'Try once more',
      text: 'This form was too old or did not come from this site. Open the page again, with cookies allowed.',
      code: 'cross_origin',
      link: { href: '/auth/login', text: 'Sign in' },
    })
  }

  #from(request: IncomingMessage, asked: Asked) {
    return {
      via: 'browser',
      address: asked.address,
      user_agent: request.headers['user-agent'] ?? '',
    } as const
  }

  #guest(request: IncomingMessage, asked: Asked): Caller {
    return guest(this.#from(request, asked))
  }

  async #caller(request: IncomingMessage, asked: Asked): Promise<Caller | undefined> {
    const state = await this.#parts.cookies.at(asked)
    if (state === 'refused') return undefined
    const token = readCookie(allValues(request.rawHeaders, 'cookie'), sessionCookieName(state))
    return token === undefined
      ? undefined
      : this.#parts.identification.cookie(token, this.#from(request, asked))
  }
}

const query = (asked: Asked) => new URL(asked.target, 'http://door.invalid').searchParams

const inWords = (error: AppError): string => {
  if (error.error !== 'invalid_params') return `${error.message}.`
  const { path, allowed } = error.data as { path: string; allowed: string }
  return `${path.charAt(0).toUpperCase()}${path.slice(1)}: ${allowed}.`
}

const needsHttps = (request: IncomingMessage, response: ServerResponse, asked: Asked): void =>
  tell(request, response, asked, {
    status: 403,
    title: 'Signing in needs HTTPS here',
    text: 'Over plain HTTP your password could be read on the way. Open this site by https, or at localhost. An operator who knows the risk can set insecure_cookies.',
    code: 'insecure_transport',
  })
