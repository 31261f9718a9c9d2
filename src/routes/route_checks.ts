import { isIPv6 } from 'node:net'
import { invalidParams } from '../contract/errors.ts'
import { upstreamOf } from '../upstream/upstream.ts'
import { asksForProof } from '../contract/proofs.ts'
import { takesSessions } from './auth_modes.ts'
import type { Home } from '../contract/home.ts'
import type { Route } from './route.ts'

/** Whether hero_proxy itself answers everything that a route with this domain and path prefix covers. */
export type IsOwnPath = (domain: string, pathPrefix: string) => boolean

const usualPorts: Readonly<Record<string, number>> = { http: 80, https: 443 }

/** The route in the one spelling in which it is compared: hosts in lower case, origins without their usual port. */
export const normalRoute = (route: Route): Route => {
  const domain = route.domain.toLowerCase()
  return {
    ...route,
    domain,
    origin: route.origin === null ? null : normalOrigin(route.origin, domain),
    also: route.also.map((host) => host.toLowerCase()),
  }
}

const normalOrigin = (origin: string, domain: string): string => {
  const [, scheme = '', host, port] = /^(https?):\/\/(.*?)(?::(\d+))?$/.exec(origin.toLowerCase()) ?? []
  if (host !== domain)
    throw invalidParams('origin', `https://${domain} or https://${domain}:PORT, with the domain of the route`)
  const number = Number(port ?? usualPorts[scheme])
  if (number < 1 || number > 65535) throw invalidParams('origin', 'a port from 1 to 65535')
  return `${scheme}://${host}${number === usualPorts[scheme] ? '' : `:${number}`}`
}

const refuseBadTarget = (field: string, target: string) => {
  const upstream = upstreamOf(target)
  if ('path' in upstream) return
  const { host, port } = upstream
  if (port < 1 || port > 65535 || (host.includes(':') && !isIPv6(host))) {
    throw invalidParams(field, 'http://host:port with a port from 1 to 65535, or unix:/path.sock')
  }
}

/** Such a route would get no request. */
export const refuseOwnPath = ({ domain, path_prefix }: Route, isOwnPath: IsOwnPath) => {
  if (isOwnPath(domain, path_prefix))
    throw invalidParams('path_prefix', 'a path of the service: hero_proxy answers this one itself')
}

/** A service at home's host could act there as the person who signed in. */
export const refuseAtHome = ({ domain, shares_home, origin }: Route, home: Home) => {
  if (domain === home.host && !shares_home)
    throw invalidParams(
      'domain',
      'another host: this one belongs to hero_proxy itself, unless shares_home is true; pages of the service could then do all that the signed-in person can',
    )
  if (domain === home.host && origin !== null && origin !== home.origin)
    throw invalidParams(
      'origin',
      `null or ${home.origin}, because the route shares the host of the public URL`,
    )
}

/** The host of an earlier public URL only leads home. */
export const refuseAtPrevious = ({ domain }: Route, home: Home) => {
  if (home.previous.has(domain))
    throw invalidParams('domain', 'another host: this one belongs to an earlier public URL')
}

export const refuseContradiction = (route: Route) => {
  const { target, more_targets, auth_mode, required_claims, allowed_emails, also } = route
  refuseBadTarget('target', target)
  more_targets.forEach((another, i) => refuseBadTarget(`more_targets/${i}`, another))
  if (also.length > 0 && !takesSessions(auth_mode))
    throw invalidParams('also', 'empty unless auth_mode is optional, oauth or local, where people sign in')
  if (route.ask_group !== null && !takesSessions(auth_mode))
    throw invalidParams(
      'ask_group',
      'null unless auth_mode is optional, oauth or local: people who are signed in ask',
    )
  if (asksForProof(route) && (auth_mode === 'none' || auth_mode === 'signature'))
    throw invalidParams(
      route.proof === 'any' ? 'proof_age' : 'proof',
      `${route.proof === 'any' ? 'null' : 'any'} unless auth_mode is optional, bearer, oauth or local: nobody proves anything in the other modes`,
    )
  if (auth_mode !== 'none') return
  const rule = 'empty if auth_mode is none, where everyone is a guest'
  if (required_claims.length > 0) throw invalidParams('required_claims', rule)
  if (allowed_emails.length > 0) throw invalidParams('allowed_emails', rule)
}
