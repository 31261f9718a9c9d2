import { AppError, conflict } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { OpaqueToken, Shape } from '../contract/schemas.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { SignedIn, signedIn } from './methods.ts'
import { signedInAs } from './signed_in.ts'
import type { SignIn } from './sign_in.ts'

/** The renewal of sessions of programs. */
export const refreshMethod = (sessions: Sessions, signIn: Pick<SignIn, 'assertMaySignIn'>) =>
  method({
    name: 'auth.refresh',
    summary:
      'Renew a program’s session: replace both of its tokens, until refresh_lifetime after the sign-in',
    description:
      'A refresh token works once. If it is used again, two parties hold it and the session ends. Within ten seconds of the first use, the error is `conflict` instead, because a response may have been lost or two calls may have raced.',
    effect: 'write',
    claim: null,
    params: Shape({ refresh_token: OpaqueToken('From the sign-in or the previous refresh') }),
    result: SignedIn,
    errors: ['unauthenticated', 'conflict'],
    target: (_, result) => (result ? `user=${result.user}` : ''),
    examples: [
      { params: { refresh_token: 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hY' }, result: signedIn },
    ],
    prepare: async ({ refresh_token }) => {
      const session = await sessions.readRefresh(refresh_token)
      // Revoke in a transaction of its own, because the error below would roll it back.
      if (session?.reused === 'before') await sessions.revoke(session.id, 'reused')
      if (!session || session.reused === 'before') throw deadRefresh()
      return session
    },
    handler: async ({ refresh_token }, _, { user_id }) => {
      const username = await signIn.assertMaySignIn(user_id)
      const renewed = await sessions.refresh(refresh_token)
      if (!renewed)
        throw conflict('This refresh token was used a moment ago; use the new one from that response')
      return signedInAs(username, renewed)
    },
  })

const deadRefresh = () => new AppError('unauthenticated', 'This refresh token is no longer valid; sign in')
