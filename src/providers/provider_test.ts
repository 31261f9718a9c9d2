import { asFault } from './provider_errors.ts'
import type { KnownProvider, Step, StepName } from './provider.ts'
import type { RelyingParty } from './relying_party.ts'
import { addressFault } from '../wire/outgoing_addresses.ts'

/** Errors of a token endpoint that judged the code, and so had let us in before (RFC 6749 section 5.2, and GitHub's own). */
const letIn = new Set(['invalid_grant', 'bad_verification_code', 'invalid_request', 'invalid_scope'])
const notLetIn = new Set(['invalid_client', 'incorrect_client_credentials', 'unauthorized_client'])

class Failed extends Error {
  readonly step: StepName
  constructor(step: StepName, message: string) {
    super(message)
    this.step = step
  }
}

const readJson = async (
  step: StepName,
  answer: Response,
  address: string,
): Promise<Record<string, unknown>> => {
  if (answer.status !== 200) throw new Failed(step, `${address} answered ${answer.status}`)
  const told: unknown = await answer.json().catch(() => undefined)
  if (typeof told !== 'object' || told === null || Array.isArray(told))
    throw new Failed(step, `${address} answered no JSON object`)
  return told as Record<string, unknown>
}

/** Looks at a provider step by step and says which one fails. Nobody signs in. */
export const checkProvider = async (
  provider: KnownProvider,
  party: RelyingParty,
  mayBeLocal: boolean,
): Promise<{ ok: boolean; steps: Step[] }> => {
  const oidc = provider.kind === 'oidc'
  const order: StepName[] = ['address', 'reach', 'discovery', 'issuer', 'keys', 'client']
  const steps = new Map<StepName, Step>(
    order.map((step) => [step, { step, ok: null, detail: 'not looked at' }]),
  )
  const passed = (step: StepName, detail: string) => steps.set(step, { step, ok: true, detail })
  let at: StepName = 'address'
  try {
    const start = (oidc ? provider.issuer : provider.token_endpoint)!
    const fault = addressFault(start, mayBeLocal)
    if (fault !== undefined) throw new Failed('address', `${start}: ${fault}`)
    passed('address', start)
    at = 'reach'
    if (oidc) await lookAtDiscovery(provider, party, (step) => (at = step), passed)
    else
      for (const step of ['discovery', 'issuer', 'keys'] as const)
        steps.set(step, { step, ok: null, detail: 'not part of plain OAuth 2.0' })
    const said = await offerMadeUpCode(provider, party)
    if (!oidc) passed('reach', new URL(start).host)
    at = 'client'
    if (!said.ok) throw new Failed('client', said.detail)
    passed('client', said.detail)
  } catch (error) {
    const failed = error instanceof Failed ? error.step : at
    steps.set(failed, { step: failed, ok: false, detail: asFault(error).message.slice(0, 500) })
  }
  const all = [...steps.values()]
  return { ok: all.every(({ ok }) => ok !== false) && steps.get('client')!.ok === true, steps: all }
}

const lookAtDiscovery = async (
  provider: KnownProvider,
  party: RelyingParty,
  now: (step: StepName) => void,
  passed: (step: StepName, detail: string) => void,
): Promise<void> => {
  const address = `${provider.issuer!.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await party.fetch(address)
  passed('reach', `${new URL(address).host} answered ${answer.status}`)
  now('discovery')
  const told = await readJson('discovery', answer, address)
  const lacking = ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri'].find(
    (name) => typeof told[name] !== 'string' || !URL.canParse(told[name]),
  )
  if (lacking !== undefined) throw new Failed('discovery', `${address} has no ${lacking}`)
  passed('discovery', address)
  now('issuer')
  if (new URL(String(told.issuer)).href !== new URL(provider.issuer!).href)
    throw new Failed('issuer', `it calls itself ${String(told.issuer)}, not ${provider.issuer}`)
  passed('issuer', String(told.issuer))
  now('keys')
  const keysAt = String(told.jwks_uri)
  const { keys } = await readJson('keys', await party.fetch(keysAt), keysAt)
  const usable = Array.isArray(keys)
    ? (keys as ({ kty?: string } | null)[]).filter((key) => /^(RSA|EC|OKP)$/.test(key?.kty ?? '')).length
    : 0
  if (usable === 0) throw new Failed('keys', `${keysAt} has no key to verify with`)
  passed('keys', `${usable} at ${keysAt}`)
  now('client')
  party.forget(provider)
}

/** A code that nobody was given: refused either way, and how tells whether we were known. */
const offerMadeUpCode = async (
  provider: KnownProvider,
  party: RelyingParty,
): Promise<{ ok: boolean; detail: string }> => {
  const { ClientSecretBasic, ClientSecretPost, None } = await import('openid-client')
  const metadata = await party.metadata(provider)
  const body = new URLSearchParams({
    grant_type: 'authorization_code',
    code: 'made-up-by-providers-test',
    redirect_uri: provider.redirect_uri,
    code_verifier: 'made-up-by-providers-test-made-up-by-providers-test',
  })
  const headers = new Headers({
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  })
  const prove = {
    client_secret_basic: () => ClientSecretBasic(provider.secret),
    client_secret_post: () => ClientSecretPost(provider.secret),
    none: () => None(),
  }[provider.client_auth]()
  prove(metadata, { client_id: provider.client }, body, headers)
  const address = metadata.token_endpoint!
  const answer = await party.fetch(address, { method: 'POST', headers, body })
  const told = (await answer.json().catch(() => ({}))) as {
    error?: string
    error_description?: string
  } | null
  const { error = '', error_description = '' } = told ?? {}
  const words = `${address} answered ${answer.status} ${error} ${error_description}`.trim().slice(0, 300)
  // Forgejo and Gitea have one error for a wrong secret and for a code that nobody was given; only their words differ.
  const forge = error === 'unauthorized_client' && !/secret|client id/i.test(error_description)
  if (letIn.has(error) || forge) return { ok: true, detail: 'client_id and secret are right' }
  if (notLetIn.has(error) || answer.status === 401)
    return { ok: false, detail: `client_id or secret is wrong: ${words}` }
  return { ok: false, detail: words }
}
