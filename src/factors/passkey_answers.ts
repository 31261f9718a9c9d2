import { AppError } from '../contract/errors.ts'

/** The refusal of a key that would have to verify its user, and did not. */
export const notAlone = () =>
  new AppError(
    'unauthenticated',
    'This key has no PIN: sign in another way first, and use it as second factor',
    {
      reason: 'key_not_alone',
    },
  )

export const passkeyRefused = () =>
  new AppError('unauthenticated', 'This passkey was not accepted', { reason: 'passkey_refused' })

/** Parses `PublicKeyCredential.toJSON()`, with only the members that are used. */
export const parse = (
  json: string,
): { readonly id: string; readonly challenge: string; readonly response: never } => {
  try {
    const { id, rawId, type, response, clientExtensionResults = {} } = JSON.parse(json)
    const { challenge } = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString('utf8'))
    if (typeof id !== 'string' || id !== rawId || typeof challenge !== 'string') throw passkeyRefused()
    return { id, challenge, response: { id, rawId, type, response, clientExtensionResults } as never }
  } catch {
    throw passkeyRefused()
  }
}
