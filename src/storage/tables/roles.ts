import type { Scoped } from './columns.ts'

export interface RoleRow {
  id: string
  name: string
  description: string
  created_at: number
  updated_at: number
}

export interface RolesTables {
  roles: RoleRow
  role_claims: { role_id: string; claim: string } & Scoped
}
