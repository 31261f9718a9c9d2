import type { Intrusions } from '../auth/not_me/intrusions.ts'
import type { OwnPath, OwnPathHandler } from '../wire/own_path.ts'
import type { EdgeRequest } from '../wire/request.ts'
import { redirect } from '../wire/responses.ts'
import { cookiesForm } from './clear_cookies.ts'
import * as account from './account/account.ts'
import type { Topic } from './account/topic.ts'
import { ask, postAsk } from './account/ask.ts'
import { services, type ServicesParts } from './account/services.ts'
import * as elsewhere from './elsewhere/browser.ts'
import * as phone from './elsewhere/phone.ts'
import { stillPaths, type StillParts } from './files.ts'
import * as atHome from './handover/at_home.ts'
import type { HomeParts } from './handover/at_home.ts'
import * as atService from './handover/at_service.ts'
import type { ServiceParts } from './handover/at_service.ts'
import { openIdPaths, type OpenIdParts } from './openid/paths.ts'
import type { PreviousParts } from './previous/passkey.ts'
import { picturePaths, type PictureParts } from './pictures.ts'
import { previousPaths } from './previous/paths.ts'
import { PageRequest } from './page_request.ts'
import type { PageRequestParts } from './page_request_parts.ts'
import { returnPath } from './return_path.ts'
import * as away from './sign_in/away_passkeys.ts'
import * as email from './sign_in/mailed_links.ts'
import * as registration from './sign_in/registration.ts'
import { postReplace } from './sign_in/after_proof.ts'
import { enrol, postEnrol } from './sign_in/enrol.ts'
import { postProveByMail, proveByMail } from './sign_in/mailed_proof.ts'
import { notMe, postNotMe } from './sign_in/not_me.ts'
import * as proof from './sign_in/proofs.ts'
import type { FederationParts } from './sign_in/provider_parts.ts'
import * as federation from './sign_in/providers.ts'
import { passkeyOptions } from './sign_in/show_sign_in.ts'
import { postSwitchAccount, switchAccount } from './sign_in/switch_account.ts'
import { postReopen, reopen } from './sign_in/reopen.ts'
import * as signIn from './sign_in/sign_in.ts'
import * as signOut from './sign_in/sign_out.ts'

interface Parts extends StillParts, PictureParts, OpenIdParts {
  readonly handover: HomeParts & ServiceParts
  readonly previous: PreviousParts
  readonly services: ServicesParts
  readonly pageParts: PageRequestParts
  readonly intrusions: Pick<Intrusions, 'find'>
  readonly federation: FederationParts
}

/** The pages for people, and the endpoints of an OpenID provider and a relying party. */
export const pagePaths = (parts: Parts): readonly OwnPath[] => [
  ...signInPaths(parts),
  ...providerPaths(parts),
  ...accountPaths(parts),
  ...openIdPaths(parts),
  ...servicePaths(parts),
  ...previousPaths(parts.previous),
  ...stillPaths(parts),
  ...picturePaths(parts),
  { path: '/auth/*', methods: [], at: ['home'] },
]

type Show = (page: PageRequest) => Promise<void | 'route'>

const shown =
  ({ pageParts }: Parts, show: Show): OwnPathHandler =>
  (request, response, asked) =>
    show(new PageRequest(pageParts, request, response, asked))

const pageRow = (parts: Parts, path: string, show: Show): OwnPath => ({
  path,
  methods: ['GET'],
  at: ['home'],
  handler: shown(parts, show),
})
const formRow = (parts: Parts, path: string, receive: Show): OwnPath => ({
  path,
  methods: ['POST'],
  takes: 'form',
  at: ['home'],
  handler: shown(parts, receive),
})

const query = (asked: EdgeRequest) => new URL(asked.target, 'http://door.invalid').searchParams

const signInPaths = (parts: Parts): readonly OwnPath[] => [
  pageRow(parts, '/auth/login', (page) => signIn.signIn(page, parts.handover)),
  formRow(parts, '/auth/login', (page) => signIn.postSignIn(page, parts.handover, parts.federation)),
  formRow(parts, '/auth/replace', postReplace),
  formRow(parts, '/auth/come_back', atHome.postComeBack(parts.handover)),
  pageRow(parts, '/auth/logout', (page) => signOut.signOut(page, parts.handover)),
  formRow(parts, '/auth/logout', (page) => signOut.postSignOut(page, parts.federation, parts.handover)),
  {
    path: '/logout',
    methods: ['GET'],
    at: ['home'],
    handler: (_, response, asked) => {
      const next = query(asked).get('next')
      const onward = next === null ? '' : `?next=${encodeURIComponent(returnPath(next, '/auth/login'))}`
      redirect(response, asked, 302, `/auth/logout${onward}`)
    },
  },
  pageRow(parts, '/auth/switch', switchAccount),
  formRow(parts, '/auth/switch', (page) => postSwitchAccount(page, parts.handover)),
  pageRow(parts, '/auth/setup', signIn.setup),
  formRow(parts, '/auth/setup', signIn.postSetup),
  pageRow(parts, '/auth/register', registration.register),
  formRow(parts, '/auth/register', registration.postRegister),
  pageRow(parts, '/auth/verify', registration.verify),
  formRow(parts, '/auth/verify', registration.postVerify),
  pageRow(parts, '/auth/reset', email.reset),
  formRow(parts, '/auth/reset', email.postReset),
  pageRow(parts, '/auth/magic', (page) => email.magic(page, parts.handover)),
  formRow(parts, '/auth/magic', email.postMagic),
  formRow(parts, '/auth/magic/code', email.postCode),
  pageRow(parts, '/auth/elsewhere', elsewhere.elsewhere),
  formRow(parts, '/auth/elsewhere', elsewhere.postElsewhere),
  pageRow(parts, '/auth/elsewhere/wait', elsewhere.waitElsewhere),
  formRow(parts, '/auth/elsewhere/enter', elsewhere.postEnter),
  pageRow(parts, '/auth/elsewhere/open', phone.openElsewhere),
  formRow(parts, '/auth/elsewhere/open', phone.postOpenElsewhere),
  formRow(parts, '/auth/elsewhere/approve', phone.postApproveElsewhere),
  pageRow(parts, '/auth/not_me', (page) => notMe(page, parts.intrusions)),
  formRow(parts, '/auth/not_me', (page) => postNotMe(page, parts.intrusions)),
  pageRow(parts, '/auth/reopen', reopen),
  formRow(parts, '/auth/reopen', postReopen),
  formRow(parts, '/auth/factor', proof.postFactor),
  formRow(parts, '/auth/passkey', proof.postPasskey),
  pageRow(parts, '/auth/passkey_options', passkeyOptions),
  formRow(parts, '/auth/passkey/begin', away.postBegin(parts.previous.proofs)),
  pageRow(parts, '/auth/passkey/arrive', away.arrive(parts.previous.proofs)),
  pageRow(parts, '/auth/prove', proof.prove),
  formRow(parts, '/auth/prove', (page) => proof.postProve(page, parts.federation)),
  pageRow(parts, '/auth/prove/mail', proveByMail),
  formRow(parts, '/auth/prove/mail', postProveByMail),
  pageRow(parts, '/auth/enrol', enrol),
  formRow(parts, '/auth/enrol', postEnrol),
]

/**
 * The way home from the hosts of services, and back. Everything else there belongs to the service, but for what lies below
 * `/.hero_proxy`.
 */
const servicePaths = (parts: Parts): readonly OwnPath[] => {
  const at = ['routed'] as const
  const row = (path: string, show: Show): OwnPath => ({
    path,
    methods: ['GET'],
    at,
    handler: shown(parts, show),
  })
  const usual = (path: string, show: Show): OwnPath => ({
    ...row(path, show),
    while: 'sign_in_paths',
    otherMethods: 'route',
  })
  const { handover } = parts
  const usualSignIn = atService.usualSignIn(handover)
  return [
    cookiesForm({ pageParts: parts.pageParts, ...handover }),
    row('/.hero_proxy/sign_in', atService.signIn(handover)),
    row('/.hero_proxy/sign_in/stuck', atService.showStuck),
    row('/.hero_proxy/arrive', atService.arrive(handover)),
    row('/.hero_proxy/sign_out', atService.signOut(handover)),
    row('/.hero_proxy/signed_out', atService.signedOut),
    row('/.hero_proxy/me', atService.me(handover)),
    usual('/login', usualSignIn),
    usual('/auth/login', usualSignIn),
    usual('/logout', atService.signOut(handover)),
    usual('/auth/logout', atService.signOut(handover)),
    usual('/auth/me', atService.me(handover)),
  ]
}

/** Sign-in with an identity provider. Each provider has its own callback path, except the one that uses the plain `/oauth/callback`. */
const providerPaths = (parts: Parts): readonly OwnPath[] => {
  const { pageParts, federation: provider } = parts
  const receive: OwnPathHandler = (request, response, asked) => {
    const page = new PageRequest(pageParts, request, response, asked)
    return federation.postedCallback(page, request, response, asked)
  }
  const posted = { methods: ['POST'], takes: 'form', at: ['home'], handler: receive } as const
  return [
    pageRow(parts, '/login', (page) => federation.login(provider, page, parts.handover)),
    pageRow(parts, '/auth/link', (page) => federation.confirmLink(provider, page)),
    formRow(parts, '/auth/link', (page) => federation.postLink(provider, page)),
    formRow(parts, '/auth/link/begin', (page) => federation.postBeginLink(provider, page)),
    pageRow(parts, '/oauth/callback', (page) => federation.callback(provider, page)),
    pageRow(parts, '/oauth/callback/*', (page) => federation.callback(provider, page)),
    { ...posted, path: '/oauth/callback' },
    { ...posted, path: '/oauth/callback/*' },
    {
      path: '/oauth/backchannel_logout',
      methods: ['POST'],
      takes: 'form',
      at: ['home'],
      handler: (request, response, asked) => {
        const page = new PageRequest(pageParts, request, response, asked)
        return federation.backchannelLogout(provider, page, request, response, asked)
      },
    },
  ]
}

const accountPaths = (parts: Parts): readonly OwnPath[] => [
  {
    path: '/auth',
    methods: ['GET'],
    at: ['home'],
    handler: (_, response, asked) => redirect(response, asked, 302, '/auth/me'),
  },
  // Unless a route of home's host serves it.
  { ...pageRow(parts, '/', services(parts.services)), unless: 'serves' },
  pageRow(parts, '/auth/services', services(parts.services)),
  pageRow(parts, '/auth/ask', ask(parts.services.asking)),
  formRow(parts, '/auth/ask', postAsk(parts.services.asking)),
  pageRow(parts, '/auth/me', account.me),
  ...account.topics.map((topic) => pageRow(parts, topic.path, account.showTopic(topic))),
  ...[account.overview, ...account.topics].flatMap((topic) => topicForms(parts, topic)),
  formRow(parts, '/auth/stop_impersonating', signIn.postStopImpersonating),
]

/** The forms of one page of an account. Those that end something have a page that asks first. */
const topicForms = (parts: Parts, topic: Topic): readonly OwnPath[] =>
  Object.entries(topic.forms).flatMap(([name, { question }]) => {
    const path = `/auth/account/${name}`
    const row = formRow(parts, path, account.postForm(topic, name))
    return question ? [row, pageRow(parts, path, account.askFirst(topic, name))] : [row]
  })
