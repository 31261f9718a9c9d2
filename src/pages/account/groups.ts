import type { AccessRequest } from '../../asking/request.ts'
import type { Caller } from '../../contract/caller.ts'
import type { Group, Member } from '../../groups/group.ts'
import { html } from '../../html/html.ts'
import { now } from '../../storage/ids.ts'
import type { PageRequest } from '../page_request.ts'
import { groupsSection, titleOf, type OwnRequest, type RunGroup } from './groups_view.ts'
import { fields, type Topic } from './topic.ts'

const requestsOf = async (page: PageRequest, caller: Caller, whose: 'mine' | 'others') =>
  ((await page.call('requests.list', { whose }, caller)) as { items: readonly AccessRequest[] }).items

const openOf = async (page: PageRequest, caller: Caller): Promise<readonly OwnRequest[]> =>
  (await requestsOf(page, caller, 'mine')).filter(({ state }) => state === 'open')

/** The groups that the caller administers, with their members: as many as a page of the method has. */
const runBy = (page: PageRequest, caller: Caller): Promise<RunGroup[]> => {
  const slugs = [...caller.claims].flatMap((claim) => /^groups\.([^.]+)\.admin$/.exec(claim)?.[1] ?? [])
  return Promise.all(
    slugs.toSorted().map(async (group) => {
      const { slug, name } = (await page.call('groups.get', { group }, caller)) as Group
      const { items } = (await page.call('groups.members', { group }, caller)) as { items: readonly Member[] }
      return { slug, name, members: items }
    }),
  )
}

const oneLine = (text: string | null): string => (text ?? '').replaceAll(/\s+/g, ' ').trim()

/** When a membership ends, from its days. Without them the method decides. */
const endIn = (name: string, form: URLSearchParams) => {
  const days = Number(form.get('days') ?? '')
  return days > 0 ? { [name]: now() + Math.round(days) * 86_400 } : {}
}

/** The groups of a person: those that they are in, what they asked for, and what they decide as an administrator of a group. */
export const groups: Topic = {
  name: 'groups',
  path: '/auth/groups',
  read: async (page, caller) => {
    const own = await page.people.groupsOf(caller.user_id!)
    const [asked, toDecide, run] = await Promise.all([
      openOf(page, caller),
      requestsOf(page, caller, 'others'),
      runBy(page, caller),
    ])
    const days = await page.people.requestDays()
    const decides = toDecide.filter(({ user }) => user !== caller.name)
    return (words, token) => groupsSection(words, token, { own, asked, decides, run, days })
  },
  forms: {
    approve_request: {
      method: 'requests.approve',
      params: (form) => ({ request: form.get('id') ?? '', ...endIn('ends_at', form) }),
    },
    refuse_request: {
      method: 'requests.refuse',
      params: (form) => ({ request: form.get('id') ?? '', reason: oneLine(form.get('reason')) }),
    },
    withdraw_request: {
      method: 'requests.withdraw',
      params: (form) => ({ request: form.get('id') ?? '' }),
      question: async (page, caller, query) => {
        const request = (await openOf(page, caller)).find(({ id }) => id === query.get('id'))
        if (!request) return undefined
        return (words) => {
          const { withdraw_request: own } = words.account.questions
          const about = html`<p><strong>${titleOf(words, request.title)}</strong></p>`
          return { words: own, about, ends: own.ends }
        }
      },
    },
    add_member: {
      method: 'groups.add_member',
      params: (form) => ({ ...fields('group', 'user')(form), ...endIn('expires_at', form) }),
    },
    remove_member: {
      method: 'groups.remove_member',
      params: fields('group', 'user'),
      question: async (page, caller, query) => {
        const [group, user] = [query.get('group'), query.get('user')]
        const found = (await runBy(page, caller)).find(({ slug }) => slug === group)
        if (!found?.members.some((member) => member.user === user)) return undefined
        return ({ account: { questions } }) => ({
          words: questions.remove_member,
          about: html`<p><strong>${user!}</strong> · ${found.name}</p>`,
          ends: questions.remove_member.ends,
        })
      },
    },
  },
}
