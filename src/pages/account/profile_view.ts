import type { Attribute } from '../../attributes/attribute.ts'
import type { AttributeValue, AttributeValues } from '../../contract/attribute_values.ts'
import { html, type Html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { pictureTag } from './picture_script.ts'
import { accountForm } from './topic.ts'

type Own = Catalogue['account']['details']

const nameOf = ({ names }: Own, name: string): string => (Object.hasOwn(names, name) ? names[name]! : name)

const choice = (own: Own, id: string, field: string, value: string, options: readonly (readonly [string, string])[]): Html =>
  html`<select id="${id}" name="${field}">
<option value="">${own.unset}</option>
${options.map(([one, text]) => html`<option value="${one}"${one === value && html` selected`}>${text}</option>`)}
</select>`

const zones = (): readonly (readonly [string, string])[] =>
  ['UTC', ...Intl.supportedValuesOf('timeZone')].map((zone) => [zone, zone.replaceAll('_', ' ')])

/** The field of an attribute. Its name says the type, so that the form can be read without looking the attribute up. */
const control = (own: Own, { name, type, values }: Attribute, value: AttributeValue | undefined): Html => {
  const id = `attribute-${name}`
  const field = `${type}.${name}`
  const text = value === undefined ? '' : String(value)
  if (type === 'list')
    return html`<textarea id="${id}" name="${field}" rows="4" aria-describedby="${id}-hint">${[value ?? []].flat().join('\n')}</textarea>
<p class="hint" id="${id}-hint">${own.one_per_line}</p>`
  if (type === 'boolean') return choice(own, id, field, text, [['true', own.yes], ['false', own.no]])
  if (values.length > 0) return choice(own, id, field, text, values.map((one) => [String(one), String(one)]))
  if (name === 'zoneinfo') return choice(own, id, field, text, zones())
  const complete = name === 'given_name' ? 'given-name' : name === 'family_name' ? 'family-name' : 'off'
  return html`<input id="${id}" name="${field}" value="${text}" maxlength="255" autocomplete="${complete}"${type === 'number' && html` inputmode="decimal"`}>`
}

const inWords = (own: Own, value: AttributeValue): string =>
  typeof value === 'boolean' ? (value ? own.yes : own.no) : [value].flat().join(', ')

interface Profile {
  readonly all: readonly Attribute[]
  readonly attributes: AttributeValues
  readonly picture: { readonly path: string; readonly isOwn: boolean }
}

const pictureForms = ({ account: { picture: own } }: Catalogue, token: string, { path, isOwn }: Profile['picture']): Html =>
  html`<h2>${own.heading}</h2>
<p class="picture" id="picture"><img src="${path}" width="128" height="128" alt="${own.heading}"></p>
<form method="post" action="/auth/account/picture" enctype="multipart/form-data">
<input type="hidden" name="form_token" value="${token}">
<label for="picture-file">${own.choose}</label>
<input type="file" id="picture-file" name="picture" accept="image/png,image/jpeg,image/webp" data-crop="picture" required aria-describedby="picture-hint">
<p class="hint" id="picture-hint">${own.hint}</p>
<button class="quiet">${own.save}</button>
</form>
${isOwn && accountForm(token, 'remove_picture', false, own.remove)}
${pictureTag}`

export const profileSection = (
  words: Catalogue,
  token: string,
  { all: attributes, attributes: values, picture }: Profile,
) => {
  const own = words.account.details
  const theirs = attributes.filter(({ source }) => source === 'person')
  const others = attributes.filter(({ source, name }) => source !== 'person' && Object.hasOwn(values, name))
  const fields = theirs.map(
    (attribute) => html`<label for="attribute-${attribute.name}">${nameOf(own, attribute.name)}</label>
${control(own, attribute, values[attribute.name])}`,
  )
  return {
    title: own.heading,
    content: html`<p class="lead">${own.about}</p>
${fields.length > 0 && accountForm(token, 'details', html`${fields}`, own.save)}
${
  others.length > 0 &&
  html`<h2>${own.set_for_you}</h2>
<p>${own.by_others}</p>
<dl>${others.map(({ name }) => html`<dt>${nameOf(own, name)}</dt><dd>${inWords(own, values[name]!)}</dd>`)}</dl>`
}
${pictureForms(words, token, picture)}`,
  }
}
