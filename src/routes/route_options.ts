import { ClaimPattern, Line, Nullable, ServiceName } from '../contract/schemas.ts'
import { bit, type Bit } from '../storage/schema.ts'
import { Type, type Static, type TSchema } from '../contract/schema_builder.ts'

/** How a column holds the value of an option. */
interface Column<V, C> {
  readonly write: (value: V) => C
  readonly read: (column: C) => V
}

const asItIs = <V>(): Column<V, V> => ({ write: (value) => value, read: (column) => column })
const flag: Column<boolean, Bit> = { write: bit, read: (column) => column === 1 }
const list: Column<string[], string> = {
  write: (value) => JSON.stringify(value),
  read: (column) => JSON.parse(column) as string[],
}
/** Empty stands for null. */
const textOrNull: Column<string | null, string> = {
  write: (value) => value ?? '',
  read: (column) => column || null,
}

interface Option<S extends TSchema, C> {
  readonly schema: S
  /** What a route gets that is added without the option. */
  readonly fallback: Static<S>
  /** Of the same name in the table `routes`. */
  readonly column: Column<Static<S>, C>
  /** In the example of the documentation; the fallback where it is left out. */
  readonly example?: Static<S>
}

const option = <S extends TSchema, C>(row: Option<S, C>): Option<S, C> => row

export const Target = Type.String({
  maxLength: 500,
  pattern:
    '^(http://([a-zA-Z0-9.-]+|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}|unix:/[^\\u0000-\\u001f\\u007f]{1,107})$',
  description: 'http://host:port or unix:/path.sock',
})

const EmailPattern = Type.String({
  maxLength: 254,
  pattern: "^(\\*|[a-zA-Z0-9.!#$%&'+/=?^_`{|}~-]{1,64})@[a-zA-Z0-9.-]{1,253}$",
  description: 'An address, or *@domain for every address of exactly this domain',
})

const seconds = (meaning: string, fallback: number) =>
  option({
    schema: Type.Integer({ minimum: 1, maximum: 3600, description: `${meaning}, in seconds: 1 to 3600` }),
    fallback,
    column: asItIs<number>(),
  })

/** What a route may be given beside its place, its target and its mode: parameters, fields and columns derive from these rows. */
export const routeOptions = {
  strip_prefix: option({
    schema: Type.Boolean({
      description: 'Remove path_prefix before forwarding, and send it as X-Forwarded-Prefix',
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
      description: 'Patterns, of which one must match; empty requires nothing',
    }),
    fallback: [],
    column: list,
  }),
  audience: option({
    schema: Nullable(
      Type.String({
        maxLength: 200,
        pattern: '^[\\x21-\\x7e]+$',
        description: 'Audience of X-Hero-Assertion, such as the URL of the service; null sends no assertion',
      }),
    ),
    fallback: null,
    column: textOrNull,
  }),
  preserve_host: option({
    schema: Type.Boolean({
      description: 'Send the Host that the client asked for; otherwise the one of the target',
    }),
    fallback: true,
    column: flag,
  }),
  enabled: option({ schema: Type.Boolean(), fallback: true, column: flag }),
  connect_timeout: seconds('How long a connection to the upstream may take to open', 5),
  response_timeout: seconds('How long the upstream may be silent', 60),
  more_targets: option({
    schema: Type.Array(Target, {
      maxItems: 31,
      description:
        'Further upstreams that serve the same content: requests take turns among them, and skip one that does not answer',
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
          'Path that each upstream answers with 2xx or 3xx while it is healthy; requested every few seconds',
      }),
    ),
    fallback: null,
    column: textOrNull,
  }),
  allowed_emails: option({
    schema: Type.Array(EmailPattern, {
      maxItems: 200,
      description: 'Patterns, of which one must match the address of the person; empty requires nothing',
    }),
    fallback: [],
    column: list,
  }),
  provider: option({
    schema: Nullable(
      Line('If auth_mode is oauth: the one provider whose sessions count; null accepts any', 64),
    ),
    fallback: null,
    column: textOrNull,
  }),
  provider_token: option({
    schema: Nullable(
      Line(
        'The provider whose stored access token goes to the service as X-Proxy-Provider-Token; null sends none',
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
    column: asItIs<number | null>(),
  }),
}

type Options = typeof routeOptions
type OptionName = keyof Options
type OptionValues = { [K in OptionName]: Static<Options[K]['schema']> }
type OptionColumns = { [K in OptionName]: ReturnType<Options[K]['column']['write']> }

/** An object that has for each option what `make` returns. */
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

export const optionExamples: OptionValues = each(({ fallback, example = fallback }) => example)

/** The options of a new route: those that were given, else their fallbacks. */
export const withFallbacks = (given: Partial<OptionValues>): OptionValues =>
  each(({ fallback }, name) => given[name] ?? fallback)

export const toColumns = (values: OptionValues): OptionColumns =>
  each(({ column }, name) => column.write(values[name]))

export const fromColumns = (columns: OptionColumns): OptionValues =>
  each(({ column }, name) => column.read(columns[name]))
