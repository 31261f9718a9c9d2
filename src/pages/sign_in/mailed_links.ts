import { randomBytes } from 'node:crypto'
import { mailedCodeCookie, returnPathCookie } from '../../wire/cookies.ts'
import {
  displayNameField,
  emailField,
  mailedCodeField,
  newPasswordField,
  usernameField,
} from '../../html/form.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import type { HomeParts } from '../handover/at_home.ts'
import { onwardPath } from '../return_path.ts'
import type { PageRequest } from '../page_request.ts'
import { openSession, wishesIn } from './complete_sign_in.ts'
import {
  back,
  keptSecret,
  linkOf,
  onward,
  show,
  submit,
  tell,
  toSignIn,
  type FoundLink,
  type Form,
} from './link_forms.ts'
import { serviceOf } from './show_sign_in.ts'
import { rememberBox, type Offers } from './sign_in_view.ts'

// A new password.

const askForm =
  (email: string): Form =>
  (words) => ({
    ...words.sign_in.forgot,
    action: '/auth/reset',
    fields: [emailField(words, email)],
    links: back(words),
  })
const resetLead = ({ sign_in }: Catalogue, { purpose, wanted, address }: FoundLink): string =>
  purpose === 'recovery'
    ? sign_in.reset.recovery({ user: wanted?.username ?? '' })
    : sign_in.reset.lead({ address })

const resetForm =
  (token: string, link: FoundLink | undefined, chosen: Chosen = {}): Form =>
  (words) => ({
    title: words.sign_in.reset.title,
    button: words.sign_in.reset.button,
    ...(link && { lead: leadOf(words, link) ?? resetLead(words, link) }),
    action: '/auth/reset',
    hidden: { token },
    fields: [...nameFields(words, link, chosen), newPasswordField(words)],
  })

// An account that nobody has confirmed may have been registered by somebody else. The person who opens a link to it chooses its names.

type Chosen = Readonly<Record<string, string>>

const leadOf = ({ sign_in }: Catalogue, { unconfirmed, address }: FoundLink): string | undefined =>
  unconfirmed ? sign_in.own_names({ address }) : undefined

const nameFields = (
  words: Catalogue,
  link: FoundLink | undefined,
  { username = '', display_name = '' }: Chosen,
) => (link?.unconfirmed ? [usernameField(words, username), displayNameField(words, display_name)] : [])

/** The names in a form, without those that were left empty. */
const chosenIn = (form: URLSearchParams): Chosen =>
  Object.fromEntries(
    ['username', 'display_name']
      .map((name) => [name, (form.get(name) ?? '').trim()] as const)
      .filter(([, value]) => value !== ''),
  )

export const reset = async (page: PageRequest): Promise<void> => {
  const token = page.query.get('token')
  if (token === null) return show(page, askForm(''))
  const link = await linkOf(page, token, ['reset', 'recovery'], '/auth/reset')
  if (link) await show(page, resetForm(token, link))
}

export const postReset = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token')
  if (token === null) {
    const email = form.get('email') ?? ''
    if (await submit(page, 'auth.request_password_reset', { email }, askForm(email)))
      await tell(page, { reason: 'check_email' })
    return
  }
  const chosen = chosenIn(form)
  const params = { token, password: form.get('password') ?? '', ...chosen }
  const again = resetForm(token, await page.links.find(token, 'reset', 'recovery'), chosen)
  if (await submit(page, 'auth.reset_password', params, again)) await tell(page, { reason: 'password_set' })
}

// Signing in by a link.

/** The maximum of magic_link_lifetime. */
const maxMagicSeconds = 3600

const magicForm =
  (email: string, returnTo: string, offers: Pick<Offers, 'remember'>): Form =>
  (words) => ({
    ...words.sign_in.magic,
    box: rememberBox(words, offers),
    action: '/auth/magic',
    hidden: { return_to: returnTo },
    fields: [emailField(words, email)],
    links: back(words),
  })
/** Shown in the tab that asked. It looks the same whether a mail was sent or not. */
const codeForm =
  (returnTo: string): Form =>
  (words) => ({
    ...words.sign_in.mailed_code,
    action: '/auth/magic/code',
    hidden: { return_to: returnTo },
    fields: [mailedCodeField(words)],
    links: [
      {
        href: `/auth/magic?return_to=${encodeURIComponent(returnTo)}`,
        text: words.sign_in.mailed_code.again,
      },
      ...back(words),
    ],
  })

/** Names the account and the service: somebody may have sent a link to an account of their own. */
const enterForm =
  (token: string, link: FoundLink | undefined, host?: string, chosen: Chosen = {}): Form =>
  (words) => ({
    title: words.sign_in.enter.title,
    button: words.sign_in.enter.button,
    action: '/auth/magic',
    hidden: { token },
    fields: nameFields(words, link, chosen),
    ...(link
      ? { lead: leadOf(words, link) ?? words.sign_in.enter.lead({ address: link.address, host }) }
      : { links: back(words) }),
  })

export const magic = async (page: PageRequest, { destinations }: HomeParts): Promise<void> => {
  if (!(await page.offers()).magicLinks)
    return page.tell({ status: 403, reason: 'magic_links_off', code: 'conflict', link: toSignIn })
  const token = page.query.get('token')
  if (token === null)
    return show(page, magicForm('', onwardPath(page, page.query.get('return_to')), await page.offers()))
  const link = await linkOf(page, token, ['magic'], '/auth/magic')
  if (!link) return
  const path = onwardPath(page, (await page.keepsakes())(returnPathCookie))
  const service = await serviceOf(destinations, path)
  await show(page, enterForm(token, link, service?.host))
}

export const postMagic = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token')
  if (token === null) {
    const email = form.get('email') ?? ''
    const returnTo = onwardPath(page, form.get('return_to'))
    const offers = await page.offers()
    const browser_secret = randomBytes(32).toString('base64url')
    const params = { email, browser_secret }
    const again = magicForm(email, returnTo, offers)
    if (!(await submit(page, 'auth.request_magic_link', params, again, wishesIn(form)))) return
    const kept = onward(returnTo, maxMagicSeconds)
    if (!offers.mailCodes) return tell(page, { reason: 'check_email' }, kept)
    return show(page, codeForm(returnTo), 200, undefined, {}, [kept, keptSecret(browser_secret)])
  }
  const read = await page.keepsakes()
  const returnTo = onwardPath(page, read(returnPathCookie))
  const chosen = chosenIn(form)
  const params = { token, ...chosen }
  await openSession(
    page,
    { method: 'auth.login_by_link', params, returnTo, kept: [onward('')] },
    async (problem, status, headers, { reason }) => {
      if (reason === 'awaits_approval') return tellWaits(page)
      const link = await page.links.find(token, 'magic')
      await show(page, enterForm(token, link, undefined, chosen), status, problem, headers)
    },
  )
}

/** The address is confirmed, and the link or code is used up. */
const tellWaits = (page: PageRequest): Promise<void> => tell(page, { reason: 'registration_waits' })

export const postCode = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const returnTo = onwardPath(page, form.get('return_to'))
  // A browser that has none any more gets the same refusal as for a wrong code.
  const browser_secret = (await page.keepsakes())(mailedCodeCookie) ?? randomBytes(32).toString('base64url')
  const params = { code: form.get('code') ?? '', browser_secret }
  await openSession(
    page,
    { method: 'auth.login_by_mailed_code', params, returnTo, kept: [onward(''), keptSecret('')] },
    (problem, status, headers, { reason }) =>
      reason === 'awaits_approval'
        ? tellWaits(page)
        : show(page, codeForm(returnTo), status, problem, headers),
  )
}
