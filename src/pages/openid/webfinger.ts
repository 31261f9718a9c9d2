import { domainToASCII } from 'node:url'
import type { OwnPath, OwnPathHandler } from '../../wire/own_path.ts'
import { notFoundRefusal, type Refusal } from '../../wire/refusal.ts'
import { ownHeaders, problem, send } from '../../wire/responses.ts'

export interface WebfingerParts {
  readonly issuer: string
  /** The domains whose addresses sign in here, separated by commas. */
  readonly domains: () => Promise<string>
}

const path = '/.well-known/webfinger'

/** OpenID Connect Discovery 1.0 section 2. */
const issuerRelation = 'http://openid.net/specs/connect/1.0/issuer'

/** RFC 7565 section 7. The user part may hold an address of another domain. */
const account = /^acct:(?:[\w.~!$&'()*+,;=-]|%[0-9a-f]{2}){1,256}@([\w.~-]|%[0-9a-f]{2}){1,253}$/i
const otherUri = /^(?!acct:)[a-z][a-z0-9+.-]*:[!-~]+$/i

const malformed: Refusal = {
  status: 400,
  reason: 'bad_request',
  values: { detail: 'One resource is needed, such as acct:ada@example.org.' },
  code: 'bad_request',
}

/** The domain of an address, in lower case; undefined for any other text. */
const domainOf = (resource: string): string | undefined => {
  if (!account.test(resource)) return undefined
  const host = resource.slice(resource.lastIndexOf('@') + 1)
  try {
    return domainToASCII(decodeURIComponent(host)) || undefined
  } catch {
    return undefined
  }
}

/** Everything that a request asks: one resource, and the relations that it wants; all without any. */
const questionOf = (target: string) => {
  const { searchParams } = new URL(target, 'http://door.invalid')
  const [resource = '', ...more] = searchParams.getAll('resource')
  return { resource: more.length > 0 ? '' : resource, relations: searchParams.getAll('rel') }
}

/** The same for each address of a domain, so that nobody learns who has an account. */
const answer =
  ({ issuer, domains }: WebfingerParts): OwnPathHandler =>
  async (_, response, asked) => {
    // RFC 7033 section 5: scripts of every origin may read it.
    const headers = {
      ...ownHeaders(asked),
      'access-control-allow-origin': '*',
      'cross-origin-resource-policy': 'cross-origin',
    }
    const refuse = (refusal: Refusal) =>
      send(response, refusal.status, 'application/problem+json', problem(refusal), headers)
    const { resource, relations } = questionOf(asked.target)
    const domain = domainOf(resource)
    if (domain === undefined) return refuse(otherUri.test(resource) ? notFoundRefusal : malformed)
    const ours = (await domains()).toLowerCase().split(/, ?/)
    if (!ours.includes(domain)) return refuse(notFoundRefusal)
    const links = [{ rel: issuerRelation, href: issuer }]
    const body = {
      subject: resource,
      links: links.filter(({ rel }) => relations.length === 0 || relations.includes(rel)),
    }
    send(response, 200, 'application/jrd+json', JSON.stringify(body), {
      ...headers,
      'cache-control': 'public, max-age=300',
    })
  }

/** Where an application that knows only an address finds out that it signs in here (RFC 7033). */
export const webfingerPaths = (parts: WebfingerParts): readonly OwnPath[] => {
  const row = { path, methods: ['GET'], handler: answer(parts) }
  return [
    { ...row, at: ['home'] },
    { ...row, at: ['routed'], while: 'webfinger' },
  ]
}
