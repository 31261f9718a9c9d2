import { refuseByAnotherDevice, type Caller } from '../contract/caller.ts'
import { invalidParams } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Type, type Static } from '../contract/schema_builder.ts'
import { UploadedIcon } from '../contract/icons.ts'
import { Nullable, Shape, Time, Username } from '../contract/schemas.ts'
import { cleanPicture } from './clean.ts'
import type { Icons } from './icons.ts'
import {
  iconLimits,
  NoPicture,
  personLimits,
  pictureTypes,
  type CleanPicture,
  type PictureLimits,
} from './picture.ts'
import type { Pictures } from './pictures.ts'

export const examplePicture =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGOQj58JAAG4ARiGoC5qAAAAAElFTkSuQmCC'

/** Reads base64. Throws invalid_params for anything that is no picture. */
const clean = (text: string, limits: PictureLimits): CleanPicture => {
  try {
    return cleanPicture(Buffer.from(text, 'base64'), limits)
  } catch (error) {
    if (!(error instanceof NoPicture)) throw error
    throw invalidParams('picture', error.message, { reason: 'no_picture' })
  }
}

/** `guard` returns whom a call is about, or throws if the caller may not act on them. */
export const pictureMethods = (
  pictures: Pictures,
  guard: (username: string, caller: Caller) => Promise<{ readonly id: string }>,
) => [
  method({
    name: 'users.set_picture',
    summary: 'Set the picture of a user, or remove it; without one, a generated picture is shown',
    effect: 'write',
    claim: ['proxy.users.write', 'users.{user}'],
    params: Shape({
      user: Username,
      picture: Nullable(
        Type.String({
          maxLength: 710_000,
          pattern: '^[A-Za-z0-9+/]*={0,2}$',
          description:
            'A PNG, JPEG or WebP in base64, of at most 512 KB and 4096 pixels a side; only what shows it is kept. null removes it',
        }),
      ),
    }),
    result: Shape({
      picture: Type.String({ description: 'The address of the picture, which stays the same' }),
    }),
    errors: ['not_found', 'conflict'],
    target: ({ user }) => `user=${user}`,
    examples: [
      {
        params: { user: 'grace', picture: examplePicture },
        result: { picture: 'https://id.example.org/auth/pictures/7kq0eZ0c0m8mWq0V0b3u2A' },
      },
    ],
    prepare: async ({ picture }) => (picture === null ? undefined : clean(picture, personLimits)),
    handler: async ({ user }, caller, picture) => {
      refuseByAnotherDevice(caller)
      const { id } = await guard(user, caller)
      await pictures.set(id, picture)
      return { picture: pictures.addressOf(id) }
    },
  }),
]

const Icon = Shape({ icon: UploadedIcon, type: Type.Enum(pictureTypes), added_at: Time })
const exampleIcon = {
  icon: 'picture:147ddfa1b96f319cf1b3df0cac6df7ea',
  type: 'image/png' as const,
  added_at: 1795435200,
}
const iconRule = { claim: ['proxy.admin', 'proxy.oauth.write'] } as const

/** Pictures for services and applications. */
export const iconMethods = (icons: Icons) => [
  method({
    ...iconRule,
    name: 'icons.list',
    summary: 'List the pictures that routes and clients can show',
    effect: 'read',
    params: Shape({}),
    result: Shape({ items: Type.Array(Icon) }),
    examples: [{ params: {}, result: { items: [exampleIcon] } }],
    handler: async () => (await icons.list()) as { items: Static<typeof Icon>[] },
  }),
  method({
    ...iconRule,
    name: 'icons.add',
    summary: 'Add a picture that routes and clients can show; the same picture is there once',
    effect: 'write',
    params: Shape({
      picture: Type.String({
        maxLength: 180_000,
        pattern: '^[A-Za-z0-9+/]*={0,2}$',
        description:
          'A PNG, JPEG or WebP in base64, of at most 128 KB and 512 pixels a side; only what shows it is kept',
      }),
    }),
    result: Icon,
    target: (_, result) => result?.icon ?? '',
    examples: [{ params: { picture: examplePicture }, result: exampleIcon }],
    prepare: async ({ picture }) => clean(picture, iconLimits),
    handler: async (_, __, picture) => (await icons.add(picture)) as Static<typeof Icon>,
  }),
  method({
    ...iconRule,
    name: 'icons.remove',
    summary: 'Remove a picture that no route and no client shows',
    effect: 'write',
    params: Shape({ icon: UploadedIcon }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    target: ({ icon }) => icon,
    examples: [{ params: { icon: exampleIcon.icon }, result: null }],
    handler: ({ icon }) => icons.remove(icon),
  }),
]
