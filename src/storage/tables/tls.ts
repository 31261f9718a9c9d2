export interface TlsTables {
  acme_accounts: { directory: string; url: string; key_sealed: string; created_at: number }
  acme_challenges: { token: string; key_authorization: string; expires_at: number }
  certificates: { domain: string; chain: string; key_sealed: string; not_after: number; updated_at: number }
}
