export interface KeysTables {
  signing_keys: {
    id: string
    algorithm: string
    public_jwk: string
    private_sealed: string
    created_at: number
    /** Null for the next key, which is already published. */
    signs_since: number | null
    retired_at: number | null
  }
}
