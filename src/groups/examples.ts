import type { Group, GroupDetail } from './group.ts'

const times = { created_at: 1795435200, updated_at: 1795435200 }

export const engineers: Group = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a11',
  slug: 'engineers',
  name: 'Engineers',
  description: '',
  is_active: true,
  proof: 'any',
  ...times,
}

export const interns: Group = {
  ...engineers,
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a12',
  slug: 'interns',
  name: 'Interns',
}

export const engineersDetail: GroupDetail = {
  ...engineers,
  admins: [],
  groups: ['interns'],
  roles: [{ role: 'writer', service: null, context: null }],
  claims: [{ claim: 'engineers.tickets.read', service: null, context: null }],
}
