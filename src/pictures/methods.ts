import type { Caller } from '../contract/caller.ts'
import { invalidParams } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Type } from '../contract/schema_builder.ts'
import { Nullable, Shape, Username } from '../contract/schemas.ts'
import { cleanPicture } from './clean.ts'
import { NoPicture, personLimits, type CleanPicture } from './picture.ts'
import type { Pictures } from './pictures.ts'

const examplePicture =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGOQj58JAAG4ARiGoC5qAAAAAElFTkSuQmCC'

/** Reads base64. Throws invalid_params for anything that is no picture. */
const clean = (text: string): CleanPicture => {
  try {
    return cleanPicture(Buffer.from(text, 'base64'), personLimits)
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
    errors: ['not_found'],
    target: ({ user }) => `user=${user}`,
    examples: [
      {
        params: { user: 'grace', picture: examplePicture },
        result: { picture: 'https://id.example.org/auth/pictures/7kq0eZ0c0m8mWq0V0b3u2A' },
      },
    ],
    prepare: async ({ picture }) => (picture === null ? undefined : clean(picture)),
    handler: async ({ user }, caller, picture) => {
      const { id } = await guard(user, caller)
      await pictures.set(id, picture)
      return { picture: pictures.addressOf(id) }
    },
  }),
]
