import { Type } from '../contract/schema_builder.ts'
import { Named } from '../contract/schemas.ts'

export const SettingValue = Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()])

export const Setting = Named('Setting', {
  key: Type.String(),
  value: SettingValue,
  default: SettingValue,
  description: Type.String(),
  allowed: Type.String(),
})
