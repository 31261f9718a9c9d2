import type { AttributeChanges, AttributeValues } from '../../contract/attribute_values.ts'
import { profileSection } from './profile_view.ts'
import type { Topic } from './topic.ts'

/** What a field of the form says, by the type in its name: `number.floor`. Empty removes the value. */
const readers: Readonly<Record<string, (text: string) => AttributeChanges[string]>> = {
  text: (text) => text.trim() || null,
  number: (text) => (text.trim() === '' ? null : Number(text)),
  boolean: (text) => (text === '' ? null : text === 'true'),
  list: (text) => {
    const lines = text.split('\n').flatMap((line) => line.trim() || [])
    return lines.length > 0 ? lines : null
  },
}

const changesIn = (form: URLSearchParams): AttributeChanges =>
  Object.fromEntries(
    [...form].flatMap(([field, text]) => {
      const [, type = '', name = ''] = /^(\w+)\.(\w+)$/.exec(field) ?? []
      return Object.hasOwn(readers, type) ? [[name, readers[type]!(text)]] : []
    }),
  )

/** What people say about themselves, and what others say about them. */
export const profile: Topic = {
  name: 'profile',
  path: '/auth/profile',
  script: true,
  read: async (page, caller) => {
    const { attributes = {} } = (await page.call('users.get', { username: caller.name }, caller)) as {
      attributes?: AttributeValues
    }
    const all = await page.people.attributes()
    const picture = await page.people.pictureOf(caller.user_id!)
    return (words, token) => profileSection(words, token, { all, attributes, picture })
  },
  forms: {
    picture: {
      method: 'users.set_picture',
      upload: true,
      params: (form, caller) => ({ user: caller.name, picture: form.get('picture') ?? '' }),
    },
    remove_picture: {
      method: 'users.set_picture',
      params: (_, caller) => ({ user: caller.name, picture: null }),
    },
    details: {
      method: 'users.update',
      params: (form, caller) => ({ username: caller.name, attributes: changesIn(form) }),
    },
  },
}
