import { ClaimPattern, Line, Nullable, ServiceName } from '../contract/schemas.ts'
import { Type, type Static, type TSchema } from '../contract/schema_builder.ts'
import type { AuthMode } from './auth_modes.ts'
import { flag, list, option, textOrNull, unchanged, type Option } from './option.ts'
import { peopleOptions } from './people_options.ts'

export const Target = Type.String({
  maxLength: 500,
  pattern:
    '^(http://([a-zA-Z0-9.-]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}|unix:/[^\\u0000-\\u001f\\u007f]{1,107})$',
  description: 'http://host:port or unix:/path.sock',
})

const EmailPattern = Type.String({
  maxLength: 254,
  pattern: "^(\\*|[a-zA-Z0-9.!#$%&'+/=?^_`{|}~-]{1,64})@[a-zA-Z0-9.-]{1,253}$",
  description: 'An address, or *@domain for all addresses of exactly this domain',
})

const seconds = (meaning: string, fallback: number) =>
  option({
    schema: Type.Integer({ minimum: 1, maximum: 3600, description: `${meaning}, in seconds: 1 to 3600` }),
    fallback,
    column: unchanged<number>(),
  })

/**
 * The options of a route besides its domain, path, target and mode. Parameters, fields and columns derive from these
 * rows.
 */
export const routeOptions = {
  strip_prefix: option({
    schema: Type.Boolean({
      description: 'Remove path_prefix before forwarding and send it as X-Forwarded-Prefix',
    }),
    fallback: false,
    column: flag,
  }),
  service: option({
    schema: Nullable(ServiceName),
    fallback: null,
    column: textOrNull,
    example: 'wiki',
  }),
  required_claims: option({
    schema: Type.Array(ClaimPattern, {
      maxItems: 50,
      description: 'Patterns, of which one must match a claim of the user; empty requires nothing',
    }),
    fallback: [],
    column: list,
  }),
  audience: option({
    schema: Nullable(
      Type.String({
        maxLength: 200,
        pattern: '^[\\x21-\\x7e]+$',
        description:
          'The audience of X-Hero-Assertion, such as the URL of the service; null sends no assertion',
      }),
    ),
    fallback: null,
    column: textOrNull,
  }),
  preserve_host: option({
    schema: Type.Boolean({
      description: 'Send the Host that the client requested; otherwise that of the target',
    }),
    fallback: true,
    column: flag,
  }),
  enabled: option({ schema: Type.Boolean(), fallback: true, column: flag }),
  connect_timeout: seconds('How long connecting to the upstream may take', 5),
  response_timeout: seconds('How long the upstream may send nothing', 60),
  more_targets: option({
    schema: Type.Array(Target, {
      maxItems: 31,
      description:
        'Additional upstreams for the same content: requests are distributed in turn, and skip an upstream that does not answer',
    }),
    fallback: [],
    column: list,
  }),
  health_path: option({
    schema: Nullable(
      Type.String({
        maxLength: 500,
        pattern: '^/[\\x21\\x22\\x24-\\x5b\\x5d-\\x7e]*$',
        description:
          'Path for health probes every few seconds: an upstream that answers 2xx or 3xx is healthy',
      }),
    ),
    fallback: null,
    column: textOrNull,
  }),
  allowed_emails: option({
    schema: Type.Array(EmailPattern, {
      maxItems: 200,
      description: 'Patterns, of which one must match the email address of the user; empty requires nothing',
    }),
    fallback: [],
    column: list,
  }),
  provider: option({
    schema: Nullable(
      Line('For auth_mode oauth: the only provider whose sessions are accepted; null accepts any', 64),
    ),
    fallback: null,
    column: textOrNull,
  }),
  provider_token: option({
    schema: Nullable(
      Line(
        'The provider whose stored access token is sent to the service as X-Proxy-Provider-Token; null sends none',
        64,
      ),
    ),
    fallback: null,
    column: textOrNull,
  }),
  max_body: option({
    schema: Nullable(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'Maximum size of a request body in bytes; null sets no limit',
      }),
    ),
    fallback: null,
    column: unchanged<number | null>(),
  }),
  ...peopleOptions,
}

type Options = typeof routeOptions
type OptionName = keyof Options
type OptionValues = { [K in OptionName]: Static<Options[K]['schema']> }
type OptionColumns = { [K in OptionName]: ReturnType<Options[K]['column']['write']> }

/** Builds an object with the result of `make` for each option. */
const each = <R>(make: (option: Option<TSchema, unknown>, name: OptionName) => unknown): R =>
  Object.fromEntries(
    Object.entries(routeOptions).map(([name, row]) => [
      name,
      make(row as unknown as Option<TSchema, unknown>, name as OptionName),
    ]),
  ) as R

export const optionSchemas: { [K in OptionName]: Options[K]['schema'] } = each(({ schema }) => schema)

export const optionalParams = each(({ schema }) => Type.Optional(schema)) as {
  [K in OptionName]: ReturnType<typeof Type.Optional<Options[K]['schema']>>
}

/** The value for a route of this mode that is added without the option. */
const fallbackOf = ({ fallback }: Option<TSchema, unknown>, mode: AuthMode): unknown =>
  typeof fallback === 'function' ? (fallback as (mode: AuthMode) => unknown)(mode) : fallback

export const optionExamples: OptionValues = each((row) => row.example ?? fallbackOf(row, 'local'))

/** The options of a new route: the given ones, and the fallbacks for the rest. */
export const withFallbacks = (given: Partial<OptionValues>, mode: AuthMode): OptionValues =>
  each((row, name) => given[name] ?? fallbackOf(row, mode))

/** The options that follow the mode of a route, if the change from one mode to the other changes them. */
export const followMode = (from: AuthMode, to: AuthMode): Partial<OptionValues> =>
  Object.fromEntries(
    Object.entries(routeOptions as unknown as Record<string, Option<TSchema, unknown>>)
      .filter(([, row]) => fallbackOf(row, from) !== fallbackOf(row, to))
      .map(([name, row]) => [name, fallbackOf(row, to)]),
  )

export const toColumns = (values: OptionValues): OptionColumns =>
  each(({ column }, name) => column.write(values[name]))

export const fromColumns = (columns: OptionColumns): OptionValues =>
  each(({ column }, name) => column.read(columns[name]))
