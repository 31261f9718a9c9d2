import { namePattern } from './names.ts'
import { Type, type Static, type TProperties, type TSchema } from './schema_builder.ts'

/** An object with exactly these fields. */
export const Shape = <P extends TProperties>(
  properties: P,
  options: { title?: string; description?: string } = {},
) => Type.Object(properties, { ...options, additionalProperties: false })

/** No parameters. */
export const Nothing = Shape({})

/** A shape with its own name in openrpc.json and the SDK. */
export const Named = <P extends TProperties>(title: string, properties: P) => Shape(properties, { title })

export const Nullable = <T extends TSchema>(schema: T) =>
  Type.Unsafe<Static<T> | null>(Type.Union([schema, Type.Null()]))

export const segmentPattern = '^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$'

/** One claim segment: the alphabet of usernames, group slugs, role and service names. */
const Segment = Type.String({
  pattern: segmentPattern,
  description: '1 to 63 letters, digits, "_" or "-", the first a letter or digit',
})

export const Username = Segment
export const GroupSlug = Segment
export const RoleName = Segment
export const ServiceName = Segment

/** Of a route or a client: the way in for people whom its rule refuses. */
export const AskGroup = Type.Unsafe<string | null>({
  ...Type.Union([GroupSlug, Type.Null()]),
  description:
    'The group that people may ask to join whom required_claims refuses; null offers nobody to ask',
})

/**
 * A client_id: printable ASCII (RFC 6749 appendix A.1) without the space, which separates names in the audit. `service:` begins the
 * subjects of local services. A client known only by its metadata document has an https URL instead.
 */
export const clientPattern = /^(?![Ss][Ee][Rr][Vv][Ii][Cc][Ee]:)[!-~]{1,128}$/

export const Id = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$',
  description: 'A UUID of version 7',
})

/**
 * One plain address that all mail software reads in the same way. RFC 5321 section 4.1.2 allows more (quotes,
 * comments); we do not.
 */
export const Email = Type.String({
  maxLength: 254,
  pattern:
    "^[a-zA-Z0-9][a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$",
  description: 'One plain e-mail address in ASCII, at most 254 characters',
})

export const Line = (meaning: string, maxLength = 200) =>
  Type.String({
    maxLength,
    pattern: '^[^\\u0000-\\u001f\\u007f]*$',
    description: `${meaning}: one line of at most ${maxLength} characters, without control characters`,
  })

/**
 * Text for people. Line and paragraph separators, and characters that turn the direction of what follows, could make it
 * look like something else.
 */
export const Text = (meaning: string, maxLength: number) =>
  Type.String({
    maxLength,
    pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]*$',
    description: `${meaning}: one line of at most ${maxLength} characters, without control characters, line separators or marks that override the direction of text`,
  })

/** A name that people choose for somebody or something: people, clients, tokens, passkeys, groups, routes. */
export const Name = (meaning: string, maxLength = 80) =>
  Type.String({
    minLength: 1,
    maxLength,
    pattern: namePattern,
    description: `${meaning}: one line of at most ${maxLength} characters with at least one letter or digit, without control characters, line separators or marks that override the direction of text, and nothing invisible`,
  })

/** The same in a result. An earlier version may have stored it: what a name may not hold is shown as U+FFFD. */
export const ShownName = (meaning: string) => Type.String({ description: meaning })

/** Claims that only we issue, in any case. */
export const reservedClaims =
  '^([aA][dD][mM][iI][nN]|([uU][sS][eE][rR][sS]|[gG][rR][oO][uU][pP][sS]|[pP][rR][oO][xX][yY])(\\..*)?)$'

export const claimGrammar = {
  maxLength: 255,
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}(\\.[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}){0,7}$',
  description:
    '1 to 8 segments joined by ".", each 1 to 63 letters, digits, "_" or "-" beginning with a letter or digit; at most 255 characters; no wildcard',
}
export const Claim = Type.String(claimGrammar)

/** Claims that only we issue are refused on every write, in any case: `admin`, `users.*`, `groups.*`, `proxy.*`. */
export const GrantableClaim = Type.String({
  ...claimGrammar,
  not: { pattern: reservedClaims },
  description: `${claimGrammar.description}; not one of the reserved admin, users.*, groups.*, proxy.*`,
})

/**
 * A service or another program may have `proxy.*` claims, which users get only through groups and roles. Claims that
 * name users or groups stay reserved.
 */
const ProgramClaim = Type.String({
  ...claimGrammar,
  not: { pattern: '^([aA][dD][mM][iI][nN]|([uU][sS][eE][rR][sS]|[gG][rR][oO][uU][pP][sS])(\\..*)?)$' },
  description: `${claimGrammar.description}; not admin, users.* or groups.*; proxy.* is allowed`,
})

export const ProgramClaims = Type.Array(ProgramClaim, { maxItems: 100, uniqueItems: true })

/** What a method or route requires: a claim, or `prefix.*` for any claim below the prefix. */
export const ClaimPattern = Type.String({
  maxLength: 257,
  pattern: '^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}(\\.[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}){0,7}(\\.\\*)?$',
  description: 'A claim, or "prefix.*" for any claim below the prefix',
})

export const Context = Type.Integer({
  minimum: 0,
  maximum: 2147483647,
  description: 'An integer from 0 (internal trust) to 2147483647',
})

/** Where a grant applies: for one service, in one context, both, or everywhere. */
export const grantScope = { service: Nullable(ServiceName), context: Nullable(Context) }
/** The same as parameters: an omitted one means everywhere. */
export const scopeParams = { service: Type.Optional(ServiceName), context: Type.Optional(Context) }

/** Up to the year 9999, which both PostgreSQL's bigint and JavaScript numbers represent exactly. */
export const Time = Type.Integer({
  minimum: 0,
  maximum: 253402300799,
  description: 'Unix time in seconds, up to the year 9999',
})

export const Limit = Type.Optional(
  Type.Integer({
    minimum: 1,
    maximum: 1000,
    description: 'Maximum number of items, 1 to 1000; 100 by default',
  }),
)
export const Cursor = Type.Optional(
  Type.String({ maxLength: 1024, description: 'The next_cursor of the previous page' }),
)

export const Page = <T extends TSchema>(item: T) =>
  Shape({ items: Type.Array(item), next_cursor: Nullable(Type.String()) })

/** A password as entered. Its length and strength are checked where it is set. */
export const Password = Type.String({
  minLength: 1,
  maxLength: 1024,
  description:
    'Password: 8 to 256 characters when it is set (the setting password_min_length can require more)',
})

/** A random value of ours, which only we can read. */
export const OpaqueToken = (description: string) => Type.String({ minLength: 1, maxLength: 100, description })
