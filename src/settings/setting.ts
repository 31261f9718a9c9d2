import { Type } from '../type.ts'
import { Named } from '../schemas.ts'

export const SettingValue = Type.Union([Type.String({ maxLength: 4096 }), Type.Number(), Type.Boolean()])

export const Setting = Named('Setting', {
  key: Type.String(),
  value: SettingValue,
  default: SettingValue,
  description: Type.String(),
  allowed: Type.String(),
})
