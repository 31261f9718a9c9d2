import type { Caller } from '../../contract/caller.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { inWords } from '../sign_in/complete_sign_in.ts'
import type { PageRequest } from '../page_request.ts'
import { applications } from './applications.ts'
import { data } from './data.ts'
import { groups } from './groups.ts'
import { mePage } from './me_view.ts'
import { overview } from './overview.ts'
import { passkeys } from './passkeys.ts'
import { profile } from './profile.ts'
import { security } from './security.ts'
import { sessions } from './sessions.ts'
import { tokens } from './tokens.ts'
import { questionPage, topicPage, type Topic } from './topic.ts'

export { overview }

/** The pages of an account, but for its overview, which also says who is here. */
export const topics: readonly Topic[] = [
  groups,
  profile,
  security,
  passkeys,
  sessions,
  applications,
  tokens,
  data,
]

type Done = Catalogue['account']['done']

const isDone = (name: string, { account }: Catalogue): name is keyof Done => Object.hasOwn(account.done, name)

const show = async (
  topic: Topic,
  page: PageRequest,
  caller: Caller,
  status: number,
  problem?: string,
): Promise<void> => {
  const section = await topic.read(page, caller)
  const done = problem === undefined ? (page.query.get('done') ?? '') : ''
  const body = (token: string, words: Catalogue) =>
    topicPage(words, {
      place: page.asked.host,
      token,
      mark: page.marks.of(caller.session_id ?? ''),
      name: topic.name,
      impersonating: caller.on_behalf ?? null,
      section: section(words, token),
      problem,
      done: isDone(done, words) ? words.account.done[done] : undefined,
    })
  await (topic.script ? page.pageWithScript(status, body) : page.page(status, body))
}

const askToSignIn = (page: PageRequest, path: string): void => {
  if (page.navigates) return page.go(302, `/auth/login?return_to=${encodeURIComponent(path)}`)
  page.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
}

/** Shows the page of a topic. */
export const showTopic =
  (topic: Topic) =>
  async (page: PageRequest): Promise<void> => {
    const caller = await page.caller()
    if (!caller) return askToSignIn(page, topic.path)
    await show(topic, page, caller, 200)
  }

/** Shows who is signed in here: a page for people, JSON for programs. */
export const me = async (page: PageRequest): Promise<void> => {
  const caller = await page.caller()
  const near = caller ? undefined : await page.near()
  if (!caller && !near) {
    if (page.navigates) return page.go(302, '/auth/login')
    return page.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
  }
  if (!page.navigates) return page.json(await page.call('auth.me', {}, (caller ?? near)!))
  // The page of linked accounts says that one more is linked.
  if (caller && page.query.get('done') === 'link') return page.go(302, `${security.path}?done=link`)
  if (caller) return show(overview, page, caller, 200)
  const known = (await page.call('auth.me', {}, near!)) as Parameters<typeof mePage>[1]
  await page.page(200, (_, words) => mePage(words, { ...known, place: page.asked.host }))
}

/** What a question or its answer names. Of a name that is given twice, the first counts, for what is shown and for what ends. */
const named = (params: URLSearchParams): Record<string, string> =>
  Object.fromEntries(
    ['id', 'client', 'group', 'user'].flatMap((name) => {
      const value = params.get(name)
      return value === null ? [] : [[name, value]]
    }),
  )

const addressOf = (name: string, params: URLSearchParams): string => {
  const query = new URLSearchParams(named(params)).toString()
  return `/auth/account/${name}${query === '' ? '' : `?${query}`}`
}

/** Asks before a form of a topic ends something. */
export const askFirst =
  (topic: Topic, name: string) =>
  async (page: PageRequest): Promise<void> => {
    const { query } = page
    const caller = await page.caller()
    if (!caller) return askToSignIn(page, addressOf(name, query))
    const question = await topic.forms[name]!.question!(page, caller, query)
    if (!question) return page.go(302, topic.path)
    const parts = { name: topic.name, place: page.asked.host, impersonating: caller.on_behalf ?? null }
    await page.page(200, (token, words) =>
      questionPage(
        words,
        { ...parts, token },
        question(words),
        topic.path,
        `/auth/account/${name}`,
        named(query),
      ),
    )
  }

/** Where a person who has to prove their identity first returns to. */
const afterProof = (topic: Topic, name: string, form: URLSearchParams): string =>
  topic.forms[name]!.question ? addressOf(name, form) : topic.path

/** Receives a form of a topic. The person returns to the page of the topic. */
export const postForm =
  (topic: Topic, name: string) =>
  async (page: PageRequest): Promise<void> => {
    const { method, params, upload = false, reveal, retry } = topic.forms[name]!
    // A file is not shown again.
    const again = async () => page.go(303, topic.path)
    const form = await page.form(upload ? { upload, again } : {})
    if (!form) return
    const caller = await page.caller()
    if (!caller) return page.go(303, `/auth/login?return_to=${topic.path}`)
    try {
      const result = await page.call(method, params(form, caller), caller)
      if (reveal && (await reveal(page, result))) return
      page.go(303, `${topic.path}?done=${name}`)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.error === 'proof_required') {
        const next = encodeURIComponent(afterProof(topic, name, form))
        return page.go(303, `/auth/prove${error.data.by === 'mail' ? '/mail' : ''}?return_to=${next}`)
      }
      const problem = await inWords(page, error)
      if (retry && (await retry(page, form, error, problem))) return
      await show(topic, page, caller, errorTable[error.error].http, problem)
    }
  }
