import type { Catalogue } from '../strings/catalogue.ts'
import { html, type Html } from './html.ts'
import { page } from './layout.ts'

interface Field {
  readonly name: string
  readonly label: string
  readonly value?: string
  readonly type?: 'text' | 'email' | 'password'
  readonly autocomplete: string
  readonly maxlength: number
  readonly pattern?: string
  readonly hint?: string
  /** Whether a phone shows capitals. */
  readonly capitals?: boolean
  /** Whether it may stay empty. */
  readonly optional?: boolean
}

/** A box to tick. It is never ticked for people. */
export interface Box {
  readonly name: string
  readonly label: string
  readonly hint?: string
}

export const box = ({ name, label, hint }: Box): Html =>
  html`<label class="box"><input type="checkbox" name="${name}" value="1"${hint !== undefined && html` aria-describedby="${name}-hint"`}> <span>${label}</span></label>
${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}`

export interface FormPage {
  readonly place: string
  readonly token: string
  readonly title: string
  readonly lead?: string
  readonly action: string
  readonly hidden?: Readonly<Record<string, string>>
  readonly fields: readonly Field[]
  readonly box?: Box | false
  readonly button: string
  readonly problem?: string | undefined
  readonly links?: readonly { readonly href: string; readonly text: string }[]
}

const input = (field: Field, focused: boolean, problem: boolean): Html => {
  const { name, label, value = '', type = 'text', autocomplete, maxlength, pattern, hint, capitals = false, optional = false } = field
  const described = [...(hint === undefined ? [] : [`${name}-hint`]), ...(problem && focused ? ['problem'] : [])]
  return html`<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" value="${type === 'password' ? '' : value}" autocomplete="${autocomplete}"${type !== 'password' && autocomplete !== 'name' && html` autocapitalize="${capitals ? 'characters' : 'none'}"`}${type !== 'password' && html` spellcheck="false"`}${!optional && html` required`} maxlength="${maxlength}"${pattern !== undefined && html` pattern="${pattern}"`}${described.length > 0 && html` aria-describedby="${described.join(' ')}"`}${focused && html` autofocus`}>
${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}`
}

export const linkList = (links: FormPage['links'] = []): Html | false =>
  links.length > 0 &&
  html`<ul class="ways">${links.map(({ href, text }) => html`<li><a href="${href}">${text}</a></li>`)}</ul>`

/** A page with one form. The first empty field gets the focus. */
export const formPage = (words: Catalogue, form: FormPage): string => {
  const { place, token, title, lead, action, hidden = {}, fields, button, problem, links } = form
  const choice = form.box
  const first = fields.find(
    ({ value, type, optional }) => type === 'password' || (!optional && (value === undefined || value === '')),
  )
  return page(
    words,
    title,
    place,
    html`<h1>${title}</h1>
${lead !== undefined && html`<p class="lead">${lead}</p>`}
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields.map((field) => input(field, field === first, problem !== undefined))}
${choice && box(choice)}
<button>${button}</button>
</form>
${linkList(links)}`,
  )
}

// Fields that several pages use.

export const usernameField = ({ sign_in }: Catalogue, value: string): Field => ({
  name: 'username',
  label: sign_in.username,
  value,
  autocomplete: 'username',
  maxlength: 63,
  pattern: '[a-zA-Z0-9][a-zA-Z0-9_\\-]*',
  hint: sign_in.username_hint,
})
export const displayNameField = ({ sign_in }: Catalogue, value: string): Field => ({
  name: 'display_name',
  label: sign_in.display_name,
  value,
  autocomplete: 'name',
  maxlength: 80,
  hint: sign_in.display_name_hint,
  optional: true,
})
export const emailField = ({ sign_in }: Catalogue, value: string): Field => ({
  name: 'email',
  label: sign_in.email,
  type: 'email',
  value,
  autocomplete: 'email',
  maxlength: 254,
})
export const mailedCodeField = ({ sign_in }: Catalogue): Field => ({
  name: 'code',
  label: sign_in.mailed_code.label,
  autocomplete: 'one-time-code',
  maxlength: 40,
  hint: sign_in.mailed_code.hint,
  capitals: true,
})
export const newPasswordField = ({ sign_in }: Catalogue): Field => ({
  name: 'password',
  label: sign_in.password,
  type: 'password',
  autocomplete: 'new-password',
  maxlength: 1024,
  hint: sign_in.new_password_hint,
})
