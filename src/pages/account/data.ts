import { html } from '../../html/html.ts'
import { accountForm, endLink, none, type Topic } from './topic.ts'

interface Closed {
  readonly removes_at: number
  readonly link_mailed: boolean
}

/** What we hold on the person, and the end of their account. */
export const data: Topic = {
  name: 'data',
  path: '/auth/data',
  read: async (page) => {
    const closing = await page.people.closing()
    return (words, token) => {
      const own = words.account.data
      return {
        title: own.heading,
        content: html`<p class="lead">${own.about}</p>
          ${accountForm(token, 'export', false, own.download)}
          <h2>${own.close_heading}</h2>
          ${
            closing.allowed
              ? html`<p>${own.close_about({ days: closing.days })}</p>
                  <p>${own.stays}</p>
                  ${endLink('close_account', {}, own.close)}`
              : html`<p>${own.not_here}</p>`
          }`,
      }
    }
  },
  forms: {
    export: {
      method: 'auth.export',
      params: none,
      reveal: async (page, result) => {
        page.answer(200, 'application/json', JSON.stringify(result, null, 2), {
          'content-disposition': 'attachment; filename="my-data.json"',
        })
        return true
      },
    },
    close_account: {
      method: 'auth.close_account',
      params: none,
      question: async (page, caller) => {
        const { allowed, days } = await page.people.closing()
        if (!allowed) return undefined
        return ({ account: { questions, data: own } }) => ({
          words: questions.close_account,
          about: html`<p><strong>${caller.name}</strong></p>`,
          ends: `${own.close_about({ days })} ${own.stays}`,
        })
      },
      reveal: async (page, result) => {
        const { removes_at, link_mailed } = result as Closed
        const reason = link_mailed ? 'account_closed' : 'account_closed_for_good'
        page.tell({ status: 200, code: 'ok', reason, values: { at: removes_at } })
        return true
      },
    },
  },
}
