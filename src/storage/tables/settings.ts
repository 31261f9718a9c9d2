export interface SettingsTables {
  /** `value` is JSON, or sealed text for secrets. */
  settings: { key: string; value: string; updated_at: number }
}
