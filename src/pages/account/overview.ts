import { fields, type Topic } from './topic.ts'
import { overviewSection, type Overview } from './overview_view.ts'

/** The first page of an account: who is signed in, their name and address. */
export const overview: Topic = {
  name: 'overview',
  path: '/auth/me',
  read: async (page, caller) => {
    const me = (await page.call('auth.me', {}, caller)) as Overview
    const endsAt = await page.people.endOf(caller.user_id!)
    const recovery = await page.people.recoveryOf(caller.user_id!)
    return (words, token) => overviewSection(words, token, me, { endsAt, recovery })
  },
  forms: {
    profile: {
      method: 'users.update',
      params: (form, caller) => ({
        username: caller.name,
        display_name: form.get('display_name') || caller.name,
      }),
    },
    email: { method: 'auth.change_email', params: fields('email') },
  },
}
