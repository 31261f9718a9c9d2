export interface SettingsTables {
  /** `value` is JSON, or sealed text for a secret. */
  settings: { key: string; value: string; updated_at: number }
}
