import { randomBytes } from 'node:crypto'
import { AppError, errorTable } from '../../contract/errors.ts'
import { mailedCodeField } from '../../html/form.ts'
import { mailedCodeCookie } from '../../wire/cookies.ts'
import { goOn } from '../handover/at_home.ts'
import type { PageRequest } from '../page_request.ts'
import { returnPath } from '../return_path.ts'
import { inWords } from './complete_sign_in.ts'
import { keptSecret, show, type Form } from './link_forms.ts'
import { isByAnotherDevice, signInAnew } from './sign_in_anew.ts'

// A signed-in person shows that they read their mail, before they add the first factor of their account.

const path = '/auth/prove/mail'

const requestForm =
  (returnTo: string): Form =>
  ({ sign_in: { mailed_proof } }) => ({
    title: mailed_proof.title,
    lead: mailed_proof.lead,
    button: mailed_proof.button,
    action: path,
    hidden: { return_to: returnTo },
    fields: [],
  })

const codeForm =
  (returnTo: string): Form =>
  (words) => ({
    ...words.sign_in.mailed_code,
    lead: words.sign_in.mailed_proof.sent,
    button: words.sign_in.mailed_proof.confirm,
    action: path,
    hidden: { return_to: returnTo, sent: '1' },
    fields: [mailedCodeField(words)],
    links: [
      {
        href: `${path}?return_to=${encodeURIComponent(returnTo)}`,
        text: words.sign_in.mailed_code.again,
      },
    ],
  })

export const proveByMail = async (page: PageRequest): Promise<void> => {
  if (!(await page.caller())) return page.go(302, '/auth/login')
  const returnTo = returnPath(page.query.get('return_to'), '/auth/me')
  if (await isByAnotherDevice(page)) return page.go(302, signInAnew(returnTo))
  await show(page, requestForm(returnTo))
}

export const postProveByMail = async (page: PageRequest): Promise<void> => {
  const form = await page.form()
  if (!form) return
  const returnTo = returnPath(form.get('return_to'), '/auth/me')
  const caller = await page.caller()
  if (!caller) return page.go(303, '/auth/login')
  const isSent = form.get('sent') === '1'
  const kept = isSent ? (await page.keepsakes())(mailedCodeCookie) : undefined
  const browser_secret = kept ?? randomBytes(32).toString('base64url')
  try {
    if (isSent) {
      await page.call('auth.prove', { mailed_code: form.get('code') ?? '', browser_secret }, caller)
      return await goOn(page, returnTo)
    }
    await page.call('auth.request_mailed_code', { browser_secret }, caller)
    await show(page, codeForm(returnTo), 200, undefined, {}, [keptSecret(browser_secret)])
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const again = isSent ? codeForm(returnTo) : requestForm(returnTo)
    await show(page, again, errorTable[error.error].http, await inWords(page, error))
  }
}
