import { invalidParams } from '../contract/errors.ts'
import { presetOf, type PresetName } from './presets.ts'
import { addresses, type KnownProvider } from './provider.ts'
import { refuseAddress } from '../wire/outgoing_addresses.ts'

export type Addresses = Record<keyof typeof addresses, string>

/** Returns a provider's endpoints, given or from its preset, and empty for those that discovery finds. Throws invalid_params. */
export const addressesOf = (
  fields: Partial<Addresses> & { readonly preset: PresetName },
  mayBeLocal: boolean,
): Addresses => {
  const preset = presetOf(fields.preset)
  const wanted = preset.kind === 'oidc' ? ['issuer'] : Object.keys(addresses).filter((a) => a !== 'issuer')
  const found = {
    issuer: '',
    authorization_endpoint: '',
    token_endpoint: '',
    userinfo_endpoint: '',
    emails_endpoint: '',
  }
  for (const name of Object.keys(found) as (keyof Addresses)[]) {
    const given = fields[name]
    const fixed = preset[name]
    if (given !== undefined && !wanted.includes(name))
      throw invalidParams(name, `omitted with the preset ${fields.preset}`)
    if (given === undefined && preset.needs.includes(name))
      throw invalidParams(name, `an address: the preset ${fields.preset} needs it`)
    found[name] = given ?? fixed ?? ''
    if (found[name] !== '') refuseAddress(name, found[name], mayBeLocal)
  }
  return found
}

/** The hosts that an administrator entered, as opposed to those that only the provider's own documents name. */
export const enteredHosts = (provider: KnownProvider): ReadonlySet<string> =>
  new Set([
    ...provider.internal_urls.map(({ internal }) => new URL(internal).hostname),
    ...(Object.keys(addresses) as (keyof typeof addresses)[]).flatMap((name) =>
      provider[name] === null ? [] : [new URL(provider[name]).hostname],
    ),
  ])
