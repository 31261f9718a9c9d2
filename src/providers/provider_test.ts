import { clientAuthentication, secretBy, type SecretBy } from './client_authentication.ts'
import { fitsTemplate } from './issuer_template.ts'
import { asFault } from './provider_errors.ts'
import type { KnownProvider, Step, StepName } from './provider.ts'
import type { RelyingParty } from './relying_party.ts'
import { addressFault } from '../wire/outgoing_addresses.ts'

/** Errors that a token endpoint reports after it has authenticated us (RFC 6749 section 5.2, and GitHub's own). */
const authenticatedErrors = new Set([
  'invalid_grant',
  'bad_verification_code',
  'invalid_request',
  'invalid_scope',
])
const clientErrors = new Set(['invalid_client', 'incorrect_client_credentials', 'unauthorized_client'])

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
  const body: unknown = await answer.json().catch(() => undefined)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Failed(step, `${address} did not return a JSON object`)
  return body as Record<string, unknown>
}

/** Tests a provider step by step and reports which step fails. Nobody signs in. */
export const checkProvider = async (
  provider: KnownProvider,
  party: RelyingParty,
  mayBeLocal: boolean,
): Promise<{ ok: boolean; steps: Step[] }> => {
  const oidc = provider.kind === 'oidc'
  const order: StepName[] = ['address', 'reach', 'discovery', 'issuer', 'keys', 'client']
  const steps = new Map<StepName, Step>(
    order.map((step) => [step, { step, ok: null, detail: 'not checked' }]),
  )
  const passed = (step: StepName, detail: string) => steps.set(step, { step, ok: true, detail })
  let at: StepName = 'address'
  try {
    const start = (oidc ? provider.issuer : provider.token_endpoint)!
    const fault = addressFault(start, mayBeLocal)
    if (fault !== undefined) throw new Failed('address', `${start}: ${fault}`)
    passed('address', start)
    at = 'reach'
    if (oidc) await testDiscovery(provider, party, (step) => (at = step), passed)
    else
      for (const step of ['discovery', 'issuer', 'keys'] as const)
        steps.set(step, { step, ok: null, detail: 'not part of plain OAuth 2.0' })
    const result = await offerMadeUpCode(provider, party)
    if (!oidc) passed('reach', new URL(start).host)
    at = 'client'
    if (!result.ok) throw new Failed('client', result.detail)
    passed('client', result.detail)
  } catch (error) {
    const failed = error instanceof Failed ? error.step : at
    steps.set(failed, { step: failed, ok: false, detail: asFault(error).message.slice(0, 500) })
  }
  const results = [...steps.values()]
  return { ok: results.every(({ ok }) => ok !== false) && steps.get('client')!.ok === true, steps: results }
}

const testDiscovery = async (
  provider: KnownProvider,
  party: RelyingParty,
  begin: (step: StepName) => void,
  passed: (step: StepName, detail: string) => void,
): Promise<void> => {
  const address = `${provider.issuer!.replace(/\/$/, '')}/.well-known/openid-configuration`
  const answer = await party.fetchFor(provider)(address)
  passed('reach', `${new URL(address).host} answered ${answer.status}`)
  begin('discovery')
  const metadata = await readJson('discovery', answer, address)
  const lacking = ['issuer', 'authorization_endpoint', 'token_endpoint', 'jwks_uri'].find(
    (name) => typeof metadata[name] !== 'string' || !URL.canParse(metadata[name]),
  )
  if (lacking !== undefined) throw new Failed('discovery', `${address} has no ${lacking}`)
  passed('discovery', address)
  begin('issuer')
  const issuer = String(metadata.issuer)
  if (new URL(issuer).href !== new URL(provider.issuer!).href && !fitsTemplate(issuer, provider.issuer!))
    throw new Failed('issuer', `it calls itself ${String(metadata.issuer)}, not ${provider.issuer}`)
  passed('issuer', String(metadata.issuer))
  begin('keys')
  const keysAt = String(metadata.jwks_uri)
  const { keys } = await readJson('keys', await party.fetchFor(provider)(keysAt), keysAt)
  const usable = Array.isArray(keys)
    ? (keys as ({ kty?: string } | null)[]).filter((key) => /^(RSA|EC|OKP)$/.test(key?.kty ?? '')).length
    : 0
  if (usable === 0) throw new Failed('keys', `${keysAt} has no usable key`)
  passed('keys', `${usable} at ${keysAt}`)
  begin('client')
  party.forget(provider)
}

/** Sends a code that was never issued. The error shows whether the provider accepted our client_id and secret. */
const offerMadeUpCode = async (
  provider: KnownProvider,
  party: RelyingParty,
): Promise<{ ok: boolean; detail: string }> => {
  const by = secretBy(provider, await party.metadata(provider))
  const result = await offerBy(provider, party, by)
  return !result.ok && provider.client_auth === 'auto' && by === 'client_secret_basic'
    ? offerBy(provider, party, 'client_secret_post')
    : result
}

const offerBy = async (
  provider: KnownProvider,
  party: RelyingParty,
  by: SecretBy,
): Promise<{ ok: boolean; detail: string }> => {
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
  const authenticate = await clientAuthentication(provider, by)
  authenticate(metadata, { client_id: provider.client }, body, headers)
  const address = metadata.token_endpoint!
  const answer = await party.fetchFor(provider)(address, { method: 'POST', headers, body })
  const failure = (await answer.json().catch(() => ({}))) as {
    error?: string
    error_description?: string
  } | null
  const { error = '', error_description = '' } = failure ?? {}
  const description = `${address} answered ${answer.status} ${error} ${error_description}`
    .trim()
    .slice(0, 300)
  // Forgejo and Gitea use one error code for a wrong secret and for an unknown code. Only the description differs.
  const forge = error === 'unauthorized_client' && !/secret|client id/i.test(error_description)
  if (authenticatedErrors.has(error) || forge) return { ok: true, detail: 'client_id and secret are right' }
  if (clientErrors.has(error) || answer.status === 401)
    return { ok: false, detail: `client_id or secret is wrong: ${description}` }
  return { ok: false, detail: description }
}
