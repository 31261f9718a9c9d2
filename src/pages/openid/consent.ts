import { proofQuery } from '../../contract/proofs.ts'
import type { HomeParts } from '../handover/at_home.ts'
import type { PageRequest } from '../page_request.ts'
import { farewell } from '../sign_in/farewell.ts'
import { left } from '../sign_in/just_left.ts'
import type { engine } from './openid.ts'
import {
  chooseAccountPage,
  consentPage,
  continuePage,
  insteadPage,
  noAccessPage,
  switchPage,
} from './openid_views.ts'

// The pages between an application's request and the answer to it. They decide nothing: the OpenID provider decides every step.

const gone = (page: PageRequest): void =>
  page.tell({ status: 400, reason: 'interaction_over', code: 'invalid_request' })

export const consent: typeof engine = async (openId, page, request, response, asked) => {
  const caller = await page.caller()
  if (caller?.on_behalf !== undefined) {
    return page.tell({
      status: 409,
      reason: 'impersonating',
      values: { user: caller.on_behalf },
      code: 'conflict',
      link: { href: '/auth/me', name: 'your_account' },
    })
  }
  const step = await openId.interactions.step(request, response, caller)
  const here = encodeURIComponent(asked.path)
  const action = asked.path
  const place = asked.host
  if (step.act === 'gone') return gone(page)
  if (step.act === 'sign in') {
    const hint = step.hint === '' ? '' : `&login_hint=${encodeURIComponent(step.hint)}`
    const to = `/auth/login?return_to=${here}${hint}`
    return step.chooses ? page.goKeeping(302, to, left('switch')) : page.go(302, to)
  }
  if (step.act === 'prove' && page.query.has('instead'))
    return page.page(200, (token, words) => insteadPage(words, { place, token, action, ...step }))
  if (step.act === 'prove')
    return page.go(302, `/auth/prove?return_to=${here}${step.asks ? `&${proofQuery(step.asks)}` : ''}`)
  if (step.act === 'go on') return page.page(200, (_, words) => continuePage(words, place, step.to))
  const user = caller!.name
  if (step.act === 'no access')
    return page.page(403, (token, words) =>
      noAccessPage(words, { place, token, action, user, name: step.name, host: step.host, ask: step.token }),
    )
  if (step.act === 'switch')
    return page.page(200, (token, words) =>
      switchPage(words, { place, token, action, name: step.name, user }),
    )
  if (step.act === 'choose')
    return page.page(200, (token, words) =>
      chooseAccountPage(words, { place, token, action, name: step.name, user }),
    )
  await page.page(200, (token, words) => consentPage(words, { place, token, action, user, ...step.asking }))
}

export const postConsent =
  ({ leftHosts }: HomeParts): typeof engine =>
  async (openId, page, request, response, asked) => {
    const form = await page.form({ continueAt: asked.path })
    if (!form) return
    const caller = await page.caller()
    if (!caller || caller.on_behalf !== undefined) return page.go(303, asked.path)
    const answer = form.get('answer')
    if (answer === 'switch') {
      if (!(await openId.interactions.switchPerson(request, response))) return gone(page)
      const opened = caller.session_id === undefined ? [] : await leftHosts.openedBy(caller.session_id)
      await page.call('auth.logout', {}, caller)
      return farewell(page, 'switch', `/auth/login?return_to=${encodeURIComponent(asked.path)}`, opened)
    }
    const to =
      answer === 'stay'
        ? await openId.interactions.keepAccount(request, response, caller)
        : answer === 'allow'
          ? await openId.interactions.approve(request, response, caller)
          : answer === 'decline'
            ? await openId.interactions.decline(request, response, caller)
            : await openId.interactions.refuse(request, response, caller)
    if (to === undefined) return gone(page)
    await page.page(200, (_, words) => continuePage(words, asked.host, to))
  }
