import type { Callbacks } from '../../federation/callback.ts'
import type { Linking } from '../../federation/linking.ts'
import type { ProviderLogouts } from '../../federation/provider_logouts.ts'

// The pages on the way to identity providers and back. They decide nothing: the federation decides every step.

export interface FederationParts {
  readonly arrivals: Callbacks
  readonly linking: Linking
  readonly logouts: ProviderLogouts
}
