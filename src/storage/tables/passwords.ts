export interface PasswordsTables {
  credentials: { user_id: string; kind: 'password'; hash: string; updated_at: number }
}
