import { errors, interactionPolicy } from 'oidc-provider'
import { programScopes, userScopes } from '../../clients/client.ts'
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

/** When people have to take a step before the engine answers an application. */
export const policy = () => {
  const prompts = base()
  const login = prompts.get('login')!
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
  prompts.add(new Prompt({ name: 'select_account', requestable: true }), 0)
  return prompts
}
