import type { Caller } from '../../contract/caller.ts'
import type { AppError } from '../../contract/errors.ts'
import { html, type Html } from '../../html/html.ts'
import { page as layout } from '../../html/layout.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import type { PageRequest } from '../page_request.ts'
import { impersonationBanner } from './me_view.ts'
import { accountNavigation, type AccountPlace } from './navigation.ts'

// The pages of an account: one for each topic, with the forms that belong to it. Each form calls the method in its row.

/** What a page asks before something ends. */
export interface Question {
  readonly words: { readonly title: string; readonly button: string }
  /** Names what ends. */
  readonly about: Html
  /** What ends with it. */
  readonly ends: string
}

export interface TopicForm {
  readonly method: string
  readonly params: (form: URLSearchParams, caller: Caller) => Record<string, unknown>
  /** Set if the form ends something. Returns what to ask first; undefined if what the query names is not there. */
  readonly question?: (
    page: PageRequest,
    caller: Caller,
    query: URLSearchParams,
  ) => Promise<((words: Catalogue) => Question) | undefined>
  /** Whether the form brings a file. */
  readonly upload?: true
  /** Shows a result that people see once. Returns false if there is none. */
  readonly reveal?: (page: PageRequest, result: unknown) => Promise<boolean>
  /** Shows the form again with a problem. Returns false if the page of the topic has to do so. */
  readonly retry?: (
    page: PageRequest,
    form: URLSearchParams,
    error: AppError,
    problem: string,
  ) => Promise<boolean>
}

interface Section {
  readonly title: string
  /** The page does not show its title if the content has a heading of its own. */
  readonly heading?: string
  readonly content: Html
}

export interface Topic {
  readonly name: AccountPlace
  readonly path: string
  /** Whether the page runs the script for passkeys. */
  readonly script?: true
  readonly read: (page: PageRequest, caller: Caller) => Promise<(words: Catalogue, token: string) => Section>
  readonly forms: Readonly<Record<string, TopicForm>>
}

interface TopicPage {
  readonly place: string
  readonly token: string
  /** Of the session, for scripts that call methods. */
  readonly mark: string
  readonly name: AccountPlace
  readonly impersonating: string | null
  readonly section: Section
  readonly problem: string | undefined
  readonly done: string | undefined
}

export const topicPage = (
  words: Catalogue,
  { place, token, mark, name, impersonating, section, problem, done }: TopicPage,
): string =>
  layout(
    words,
    section.title,
    place,
    html`${accountNavigation(words, name)}${impersonationBanner(words, impersonating, token)}
      <h1>${section.heading ?? section.title}</h1>
      ${problem !== undefined && html`<p class="notice" role="alert">${problem}</p>`}
      ${done !== undefined && html`<p class="done" role="status">${done}</p>`} ${section.content}`,
    html`<meta name="session-mark" content="${mark}" />`,
  )

/** A page that asks before something ends. Cancel comes first, so that the keyboard and the thumb reach it first. */
export const questionPage = (
  words: Catalogue,
  { place, token, impersonating, name }: Omit<TopicPage, 'mark' | 'section' | 'problem' | 'done'>,
  { words: own, about, ends }: Question,
  back: string,
  action: string,
  fields: Readonly<Record<string, string>>,
): string =>
  layout(
    words,
    own.title,
    place,
    html`${accountNavigation(words, name)}${impersonationBanner(words, impersonating, token)}
      <h1>${own.title}</h1>
      <div class="about">${about}</div>
      <p>${ends}</p>
      <a class="button quiet" href="${back}">${words.account.questions.cancel}</a>
      <form method="post" action="${action}">
        <input type="hidden" name="form_token" value="${token}" />
        ${Object.entries(fields).map(([field, value]) => html`<input type="hidden" name="${field}" value="${value}" />`)}
        <button class="danger">${own.button}</button>
      </form>`,
  )

// What the forms of several topics share.

export const none = () => ({})

export const fields =
  (...names: readonly string[]) =>
  (form: URLSearchParams) =>
    Object.fromEntries(names.map((name) => [name, form.get(name) ?? '']))

/** A form of an account that ends nothing. */
export const accountForm = (token: string, action: string, content: Html | false, button: string): Html =>
  html`<form method="post" action="/auth/account/${action}">
    <input type="hidden" name="form_token" value="${token}" />
    ${content}
    <button class="quiet">${button}</button>
  </form>`

export const input = (name: string, label: string, attributes: Html): Html =>
  html`<label for="${name}">${label}</label>
    <input id="${name}" name="${name.replace(/^.*-/, '')}" ${attributes} required />`

export const hiddenId = (value: string): Html => html`<input type="hidden" name="id" value="${value}" />`

/** Password managers need to know whose password the form is for. */
export const currentPassword = (words: Catalogue, user: string, of: string): Html =>
  html`<input type="text" value="${user}" autocomplete="username" hidden />
    ${input(`${of}-current_password`, words.account.profile.current_password, html`type="password" autocomplete="current-password" maxlength="1024"`)}`

/** Leads to the page that asks first. */
export const endLink = (action: string, query: Readonly<Record<string, string>>, text: string): Html => {
  const asked = new URLSearchParams(query).toString()
  return html`<a class="button quiet danger" href="/auth/account/${action}${asked !== '' && `?${asked}`}"
    >${text}</a
  >`
}
