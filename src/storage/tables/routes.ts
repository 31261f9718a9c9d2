import type { ProofLevel } from '../../contract/proofs.ts'
import type { Bit } from './columns.ts'

export interface RouteRow {
  id: string
  /** Unique, in any case. */
  name: string
  domain: string
  path_prefix: string
  target: string
  strip_prefix: Bit
  service: string
  auth_mode: string
  /** JSON list of claim patterns. */
  required_claims: string
  /** The audience of X-Hero-Assertion; empty to send none. */
  audience: string
  preserve_host: Bit
  enabled: Bit
  connect_timeout: number
  response_timeout: number
  /** JSON list of additional upstreams. */
  more_targets: string
  /** Empty to disable health probes. */
  health_path: string
  /** JSON list of patterns. */
  allowed_emails: string
  /** Empty to accept any provider. */
  provider: string
  /** SHA-256 of the route's static token, hex; empty for none. */
  bearer_token_hash: string
  /** In bytes; null sets no limit. */
  max_body: number | null
  /** The provider whose access token is forwarded; empty for none. */
  provider_token: string
  /** Empty to show the name. */
  title: string
  /** A name of our set; empty for none. */
  icon: string
  description: string
  /** Whether people see it among their services. */
  listed: Bit
  /** Empty for the scheme and port of the public URL. */
  origin: string
  sign_in_paths: Bit
  rpc: Bit
  shares_home: Bit
  /** JSON list of hosts. */
  also: string
  confirm: Bit
  no_store: Bit
  proof: ProofLevel
  /** In seconds; null sets no limit. */
  proof_age: number | null
  webfinger: Bit
  /** The group that people ask to join who are refused; empty for none. */
  ask_group: string
  created_at: number
  updated_at: number
}

export interface RoutesTables {
  routes: RouteRow
}
