import { sessionCookie } from '../../wire/cookies.ts'
import { policyWithImages } from '../../wire/responses.ts'
import { originOf } from '../../wire/request.ts'
import { goOn } from '../handover/at_home.ts'
import { continuePage } from '../openid/openid_views.ts'
import type { PageRequest } from '../page_request.ts'
import { left, type Leaving } from './just_left.ts'

/**
 * Takes the cookie of home away and goes on: if the sign-in had `opened` hosts of services, by a page that removes their dead cookies
 * as well. `there` is where the identity provider signs the person out.
 */
export const farewell = async (
  page: PageRequest,
  how: Leaving,
  next: string,
  opened: readonly string[],
  there?: string,
): Promise<void> => {
  const cleared = sameSite(opened, page.asked.host).slice(0, maxCleared)
  if (there === undefined && cleared.length === 0 && goesHome(page, next))
    return goOn(page, next, { token: '', maxAge: 0 }, [left(how)])
  const pictures = cleared.map((origin) => `${origin}/.hero_proxy/signed_out`)
  await page.page(
    200,
    (_, words) => continuePage(words, page.asked.host, there ?? next, 'signing_out', pictures),
    pictures.length === 0 ? {} : { 'content-security-policy': policyWithImages(cleared) },
    [{ name: sessionCookie, value: '', maxAge: 0 }, left(how)],
  )
}

/** Whether an address is one of home. Only there may a form lead by a redirect. */
export const goesHome = (page: PageRequest, to: string): boolean =>
  URL.parse(to, originOf(page.asked))?.origin === originOf(page.asked)

/** Hosts whose dead cookies the page removes; other cookies go unnoticed until the next visit there. */
const maxCleared = 20

/** The origins to which a browser sends our cookie with a picture of this page. */
const sameSite = (origins: readonly string[], home: string): string[] => {
  const site = home.slice(home.indexOf('.') + 1)
  return origins.filter((origin) => new URL(origin).hostname.endsWith(`.${site}`))
}
