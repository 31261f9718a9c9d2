import { codeLifetimeSeconds } from '../../auth/mailed_code.ts'
import type { OneTimeToken, FormPurpose } from '../../auth/one_time_token.ts'
import type { Wishes } from '../../contract/caller.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import { formPage, type FormPage } from '../../html/form.ts'
import type { Catalogue, NoticeFacts } from '../../strings/catalogue.ts'
import { mailedCodeCookie, returnPathCookie } from '../../wire/cookies.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'
import { inWords } from './complete_sign_in.ts'

// What the pages that links in mails open have in common. Opening a link changes nothing, because programs open links too; the
// button on the page does.

/** A link that still works. */
export type FoundLink = OneTimeToken & { readonly purpose: FormPurpose }

export type Form = (words: Catalogue) => Omit<FormPage, 'place' | 'token' | 'problem'>

export const toSignIn = { href: '/auth/login', name: 'sign_in' } as const
export const back = ({ sign_in }: Catalogue) => [{ href: '/auth/login', text: sign_in.back }]

export const show = (
  page: PageRequest,
  form: Form,
  status = 200,
  problem?: string,
  headers = {},
  kept: readonly Keepsake[] = [],
): Promise<void> =>
  page.page(
    status,
    (token, words) => formPage(words, { ...form(words), place: page.asked.host, token, problem }),
    headers,
    kept,
  )

/** Calls the method of a form, or shows the form again with what went wrong. */
export const submit = async (
  page: PageRequest,
  method: string,
  params: Record<string, string>,
  again: Form,
  wishes?: Wishes,
): Promise<Record<string, unknown> | undefined> => {
  try {
    return (
      ((await page.call(method, params, { ...page.guest(), ...(wishes && { wishes }) })) as Record<
        string,
        unknown
      > | null) ?? {}
    )
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const retry = error.data.retry_after
    const headers: Record<string, string> = typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
    await show(page, again, errorTable[error.error].http, await inWords(page, error), headers)
    return undefined
  }
}

export const tell = (page: PageRequest, notice: NoticeFacts, ...kept: readonly Keepsake[]): Promise<void> =>
  page.tellKeeping({ ...notice, status: 200, code: 'ok', link: toSignIn }, ...kept)

/** Returns what a link is for, or says at once that it does not work any more. Looking at it uses nothing up. */
export const linkOf = async (
  page: PageRequest,
  token: string,
  purposes: readonly FormPurpose[],
  anew?: string,
): Promise<FoundLink | undefined> => {
  const found = await page.links.find(token, ...purposes)
  if (found !== undefined) return found
  const link = anew === undefined ? toSignIn : ({ href: anew, name: 'new_link' } as const)
  page.tell({ status: 410, reason: 'dead_link', code: 'dead_link', link })
  return undefined
}

/**
 * The browser that requested the link keeps the return path. The link must not contain it, because anybody can have a link sent to
 * somebody else. A path that a cookie cannot hold is left out; an empty one removes the cookie.
 */
export const onward = (path: string, maxAge = 0): Keepsake => ({
  name: returnPathCookie,
  value: /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,3500}$/.test(path) ? path : '',
  maxAge,
})

/** The secret of this browser, as long as its code works. */
export const keptSecret = (value: string): Keepsake => ({
  name: mailedCodeCookie,
  value,
  maxAge: codeLifetimeSeconds,
})
