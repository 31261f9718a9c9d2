export interface ServicesTables {
  /** `claims` is a JSON list. */
  services: {
    id: string
    name: string
    unix_user: string
    claims: string
    created_at: number
    updated_at: number
  }
}
