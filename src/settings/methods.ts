import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Line, Nothing, Shape } from '../contract/schemas.ts'
import { Setting, SettingValue } from './setting.ts'
import { definitions } from './definitions.ts'
import type { Settings } from './settings.ts'

const Key = Line('Name of a setting', 64)

const shown = (key: keyof typeof definitions, value: string | number | boolean) => {
  const { description, allowed, default: fallback } = definitions[key]
  return { key, value, default: fallback, description, allowed }
}

export const settingMethods = (settings: Settings) => [
  method({
    name: 'settings.list',
    summary: 'List all run-time settings with their values, defaults and allowed values',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Nothing,
    result: Shape({ items: Type.Array(Setting) }),
    examples: [
      {
        params: {},
        result: {
          items: (Object.keys(definitions) as (keyof typeof definitions)[]).map((key) =>
            shown(key, definitions[key].default),
          ),
        },
      },
    ],
    handler: () => settings.list(),
  }),
  method({
    name: 'settings.get',
    summary: 'Return one run-time setting',
    effect: 'read',
    claim: ['proxy.admin'],
    params: Shape({ key: Key }),
    result: Setting,
    errors: ['not_found'],
    examples: [{ params: { key: 'session_lifetime' }, result: shown('session_lifetime', 86400) }],
    handler: ({ key }) => settings.get(key),
  }),
  method({
    name: 'settings.set',
    summary: 'Change one run-time setting, starting with the next request',
    effect: 'write',
    claim: ['proxy.admin'],
    fresh: true,
    params: Shape({ key: Key, value: SettingValue }),
    result: Setting,
    errors: ['not_found'],
    examples: [
      { params: { key: 'session_lifetime', value: 43200 }, result: shown('session_lifetime', 43200) },
    ],
    handler: ({ key, value }) => settings.set(key, value),
  }),
]
