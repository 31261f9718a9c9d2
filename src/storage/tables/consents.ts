export interface ConsentsTables {
  /** The scopes that a user granted to an application; `scopes` is a JSON list. */
  consents: { user_id: string; client: string; scopes: string; created_at: number }
}
