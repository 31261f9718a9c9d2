import { ProofAge, ProofOption, type ProofLevel } from '../contract/proofs.ts'
import { UploadedIcon } from '../contract/icons.ts'
import { isName, shownName } from '../contract/names.ts'
import { AskGroup, Name, Nullable, Text } from '../contract/schemas.ts'
import { Type } from '../contract/schema_builder.ts'
import { takesSessions } from './auth_modes.ts'
import { iconNames } from './icons.ts'
import { flag, list, option, textOrNull, unchanged } from './option.ts'

const flagOption = (fallback: boolean, description: string) =>
  option({ schema: Type.Boolean({ description }), fallback, column: flag })

/** The options of a route that concern people: what they see of it, and how they sign in there. */
export const peopleOptions = {
  title: option({
    schema: Nullable(Name('What people call the service; null shows the name of the route', 60)),
    fallback: null,
    column: {
      write: (value): string => value ?? '',
      read: (column) => (isName(shownName(column)) ? shownName(column) : null),
    },
    example: 'Wiki',
  }),
  icon: option({
    schema: Type.Unsafe<string | null>(
      Type.Union([
        Type.Enum(iconNames, { description: `The picture of the service, one of: ${iconNames.join(', ')}` }),
        UploadedIcon,
        Type.Null(),
      ]),
    ),
    fallback: null,
    column: textOrNull,
    example: 'book',
  }),
  description: option({
    schema: Text('What people read about the service', 500),
    fallback: '',
    column: { write: (value) => value, read: (column) => column },
  }),
  listed: flagOption(true, 'Show the service to the people who may use it, among their services'),
  origin: option({
    schema: Nullable(
      Type.String({
        maxLength: 270,
        pattern: '^[hH][tT][tT][pP][sS]?://(\\*\\.)?[a-zA-Z0-9.-]{1,253}(:[0-9]{1,5})?$',
        description:
          'Where browsers reach the host, if scheme or port differ from those of the public URL: https://DOMAIN or https://DOMAIN:PORT, with the domain of the route. All routes of a host share it; null says nothing',
      }),
    ),
    fallback: null,
    column: textOrNull,
  }),
  sign_in_paths: option({
    schema: Type.Boolean({
      description:
        'Answer GET and HEAD of /login, /logout, /auth/login, /auth/logout and /auth/me instead of forwarding them. By default on for optional, oauth and local, and off for the other modes; another mode brings its default',
    }),
    fallback: takesSessions,
    column: flag,
    example: true,
  }),
  rpc: flagOption(false, 'Serve /rpc at this host to its callers, with what they may do at this service'),
  webfinger: flagOption(
    false,
    'Answer /.well-known/webfinger at this host (RFC 7033) for the domains of the setting webfinger_domains, instead of forwarding it',
  ),
  shares_home: flagOption(
    false,
    'Allow the route at the host of the public URL: pages of the service can then do all that the signed-in person can',
  ),
  also: option({
    schema: Type.Array(
      Type.String({
        maxLength: 253,
        pattern:
          '^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$',
        description: 'A host name without a port, of a route with auth_mode optional, oauth or local',
      }),
      {
        maxItems: 2,
        description: 'Up to two hosts at which people are signed in together with this one',
      },
    ),
    fallback: [],
    column: list,
  }),
  confirm: flagOption(false, 'Ask each person once before they are signed in at this host'),
  proof: option({ schema: ProofOption, fallback: 'any', column: unchanged<ProofLevel>() }),
  proof_age: option({ schema: ProofAge, fallback: null, column: unchanged<number | null>() }),
  ask_group: option({ schema: AskGroup, fallback: null, column: textOrNull }),
  no_store: flagOption(
    false,
    'Keep every response of the service out of all caches, also that of the browser',
  ),
}
