export interface ConsentsTables {
  /** What people allowed an application to know; `scopes` is a JSON list. */
  consents: { user_id: string; client: string; scopes: string; created_at: number }
}
