import { AppError, errorTable } from '../../contract/errors.ts'
import type { Caller } from '../../contract/caller.ts'
import type { PageRequest } from '../page_request.ts'
import { inWords } from '../sign_in/complete_sign_in.ts'
import { digitsPage, donePage, faultPage, phonePage, type Found } from './phone_view.ts'

// The phone whose person signs in another browser. Opening the link changes nothing, because programs open links too.

const linkOf = (code: string): string => `/auth/elsewhere/open?code=${encodeURIComponent(code)}`

/** Leads to whatever the person has to do first, or says what is wrong. */
const refuse = async (page: PageRequest, code: string, error: unknown): Promise<void> => {
  if (!(error instanceof AppError)) throw error
  if (error.error === 'proof_required')
    return page.go(303, `/auth/prove?return_to=${encodeURIComponent(linkOf(code))}`)
  const problem = await inWords(page, error)
  await page.page(errorTable[error.error].http, (_, words) => faultPage(words, page.asked.host, problem))
}

const toSignIn = (code: string): string => `/auth/login?return_to=${encodeURIComponent(linkOf(code))}`

/** Returns what a form of the phone says, or answers with what is wrong. */
const formOf = async (
  page: PageRequest,
): Promise<{ caller: Caller; form: URLSearchParams; code: string } | undefined> => {
  const form = await page.form({ continueAt: '/auth/login' })
  if (!form) return undefined
  const code = form.get('code') ?? ''
  const caller = await page.caller()
  if (!caller) return void page.go(303, toSignIn(code))
  return { caller, form, code }
}

/** The link of the QR code. */
export const openElsewhere = async (page: PageRequest): Promise<void> => {
  const code = page.query.get('code') ?? ''
  const caller = await page.caller()
  if (!caller) return page.go(302, toSignIn(code))
  await page.page(200, (token, words) =>
    phonePage(words, { place: page.asked.host, token, code, user: caller.name }),
  )
}

/** The person goes on: from now on, this phone owns the request. */
export const postOpenElsewhere = async (page: PageRequest): Promise<void> => {
  const sent = await formOf(page)
  if (!sent) return
  const { caller, code } = sent
  try {
    const found = (await page.call('auth.open_elsewhere', { code }, caller)) as Found & { may: boolean }
    await page.page(found.may ? 200 : 409, (token, words) =>
      found.may
        ? digitsPage(words, { place: page.asked.host, token, code, user: caller.name, found })
        : faultPage(
            words,
            page.asked.host,
            words.refusals.problems[found.network === 'family' ? 'elsewhere_family' : 'elsewhere_network'],
          ),
    )
  } catch (error) {
    await refuse(page, code, error)
  }
}

/** The person has typed the digits. */
export const postApproveElsewhere = async (page: PageRequest): Promise<void> => {
  const sent = await formOf(page)
  if (!sent) return
  const { caller, form, code } = sent
  const digits = (form.get('digits') ?? '').replaceAll(/\s/g, '')
  try {
    await page.call('auth.approve_elsewhere', { code, digits }, caller)
    await page.page(200, (_, words) => donePage(words, page.asked.host))
  } catch (error) {
    await refuse(page, code, error)
  }
}
