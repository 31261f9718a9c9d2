import { html, type Html } from '../html/html.ts'
import { page } from '../html/layout.ts'
import type { Catalogue } from '../strings/catalogue.ts'

/** The labels of fields that people fill in; all other fields come back unseen. */
const labelsOf = ({ sign_in, account }: Catalogue): ReadonlyMap<string, string> =>
  new Map([
    ['username', sign_in.username],
    ['email', sign_in.email],
    ['code', sign_in.code],
    ['password', sign_in.password],
    ['current_password', account.profile.current_password],
    ['display_name', account.profile.name],
    ['name', account.profile.name],
  ])

/** What nobody else may read from the page, or what is too old by now. */
const isFilledInAnew = (name: string): boolean => name.includes('password') || name === 'code'

const field = (name: string, value: string, label: string | undefined): Html => {
  const anew = isFilledInAnew(name)
  if (label === undefined && !anew) return html`<input type="hidden" name="${name}" value="${value}">`
  const type = name.includes('password') ? 'password' : 'text'
  return html`<label for="${name}">${label ?? name}</label>
<input id="${name}" name="${name}" type="${type}" value="${anew ? '' : value}" autocomplete="off" autocapitalize="none" spellcheck="false" maxlength="1024"${anew && html` required`}>`
}

interface ResendPage {
  readonly place: string
  readonly token: string
  readonly action: string
  /** What was sent. */
  readonly form: URLSearchParams
}

/** Shows a form that was older than its cookie, filled in, to be sent again. */
export const resendPage = (words: Catalogue, { place, token, action, form }: ResendPage): string => {
  const { title, lead, button } = words.sign_in.resend
  const labels = labelsOf(words)
  const sent = [...form].filter(([name]) => name !== 'form_token')
  return page(
    words,
    title,
    place,
    html`<h1>${title}</h1>
<p class="lead">${lead}</p>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
${sent.map(([name, value]) => field(name, value, labels.get(name)))}
<button>${button}</button>
</form>`,
  )
}
