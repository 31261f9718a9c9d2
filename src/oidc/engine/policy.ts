import { errors, interactionPolicy } from 'oidc-provider'
import { programScopes, userScopes } from '../../clients/client.ts'
import type { Verdict } from '../../identity/judge.ts'
import { askedProof, declinedBy, isRecent } from '../asked_proof.ts'
import { signedInOf } from './session.ts'
import type { Context } from './types.ts'

const { base, Check, Prompt } = interactionPolicy

/** The values of `prompt` that we take (OpenID Connect Core section 3.1.2.1), as discovery lists them. */
export const promptValues = ['none', 'login', 'consent', 'select_account'] as const

const knownScopes: ReadonlySet<string> = new Set([...userScopes, ...programScopes])

/** Unknown scopes are ignored beside known ones (OpenID Connect Core section 3.1.2.1), but alone they are an error (RFC 6749 section 3.3). */
const refuseUnknownScopes = ({ oidc: { params, client } }: Context): boolean => {
  const asked = String(params?.scope ?? '').split(' ')
  const known = asked.filter((scope) => knownScopes.has(scope))
  const grantable = params?.resource === undefined ? known.filter(isAboutPeople) : known
  if (grantable.length > 0 || !client) return Check.NO_NEED_TO_PROMPT
  throw new errors.InvalidScope('none of the requested scopes can be granted', asked.join(' '))
}

const isAboutPeople = (scope: string): boolean => (userScopes as readonly string[]).includes(scope)

/**
 * RFC 8252 section 8.6: without asking, we answer a native client only at an https address, because that address proves which app it
 * is. On a device (RFC 8628) the person confirms the code.
 */
const isUnproven = ({ oidc: { client, params, result } }: Context): boolean => {
  const to = params?.redirect_uri as string | undefined
  const native = client?.applicationType === 'native' && to !== undefined && !to.startsWith('https:')
  return native && !result?.consent
}

/** The checks of the engine that a prompt of its own adds, and those of levels, which are ours. */
const ofOurs = new Set(['login_prompt', 'max_age', 'essential_acrs', 'essential_acr'])

/** What the person had proved when the request came. */
const provedBefore = ({ oidc: { session } }: Context) => {
  const { session_id, given } = signedInOf(session) ?? {}
  return { before: { session_id, given } }
}

/** `max_age` is about the level that the request asks for: level and time are one pair. A proof that came after the request is enough. */
const isTooOld = ({ oidc: { params, session, result } }: Context): boolean => {
  const who = signedInOf(session)
  const asked = askedProof(params ?? {}, who && declinedBy(result, who.user_id))
  if (asked === 'unmet' || asked.age === undefined || result?.login) return Check.NO_NEED_TO_PROMPT
  return !who || !isRecent(asked, who.proofs)
}

/** A device cannot send `prompt` to the engine. */
const mustSignInAnew = ({ oidc: { params, result } }: Context): boolean =>
  params?.asked_login !== undefined && !result?.login

/** Whether a person approves a device (RFC 8628) in a sign-in that another device opened. */
const approvesDeviceWeakly = ({ oidc: { session, entities } }: Context): boolean =>
  entities.DeviceCode !== undefined && signedInOf(session)?.by_another_device === true

/** Judges the person of a request for authorization by the rule of its client, and by the proof that the request itself asks for. */
export type JudgeRequest = (ctx: Context) => Promise<Verdict>

/** When people have to take a step before the engine answers an application. */
export const policy = (judge: JudgeRequest) => {
  const prompts = base()
  const standard = prompts.get('login')!.checks.filter(({ reason }) => !ofOurs.has(reason))
  const ours = [
    new Check('max_age', 'the person has not proved who they are so recently', (ctx) =>
      isTooOld(ctx as Context),
    ),
    new Check('another_device', 'a sign-in that another device opened approves no device', (ctx) =>
      approvesDeviceWeakly(ctx as Context),
    ),
    new Check('asked_login', 'the person must prove who they are anew', (ctx) =>
      mustSignInAnew(ctx as Context),
    ),
  ]
  const login = new Prompt({ name: 'login', requestable: true }, provedBefore, ...standard, ...ours)
  prompts.remove('login')
  prompts.add(login, 0)
  login.checks.add(
    new Check('scopes', 'requested scopes are unknown', 'invalid_scope', (ctx) =>
      refuseUnknownScopes(ctx as Context),
    ),
    0,
  )
  const { checks } = prompts.get('consent')!
  checks.remove('native_client_prompt')
  checks.add(
    new Check(
      'native_client_prompt',
      'native clients require End-User interaction',
      'interaction_required',
      (ctx) => isUnproven(ctx as Context),
    ),
  )
  // Between sign-in and consent. An application that may not ask gets the answer at once; it names no claims.
  const rule = new Prompt({ name: 'rule', requestable: false })
  const lacks = (lack: 'claims' | 'proof') => async (ctx: Context) => {
    if (ctx.oidc.session?.accountId === undefined) return Check.NO_NEED_TO_PROMPT
    const verdict = await judge(ctx)
    return verdict.lack !== undefined && (verdict.lack === 'proof') === (lack === 'proof')
  }
  rule.checks.add(
    new Check('claims', 'the person may not use this application', 'access_denied', (ctx) =>
      lacks('claims')(ctx as Context),
    ),
  )
  rule.checks.add(
    new Check(
      'proof',
      'the person has not proved who they are so strongly or so recently',
      'unmet_authentication_requirements',
      (ctx) => lacks('proof')(ctx as Context),
    ),
  )
  prompts.add(rule, 1)
  prompts.add(new Prompt({ name: 'select_account', requestable: true }), 0)
  return prompts
}
