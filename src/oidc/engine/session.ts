import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Records } from './records.ts'
import type { ProofLevel } from '../../contract/proofs.ts'
import { askedProof, declinedBy, reported } from '../asked_proof.ts'
import type { SignedIn } from '../signed_in.ts'
import type { Context } from './types.ts'

type Visit = NonNullable<Stored['authorizations']>[string]
type Stored = Pick<InstanceType<Provider['Session']>, 'authorizations' | 'state'>

interface Parts {
  readonly records: Records
  /** Returns the signed-in user of a request. */
  readonly visitor: (ctx: KoaContextWithOIDC) => SignedIn | undefined
  readonly living: (sessionId: string) => Promise<SignedIn | undefined>
  readonly signOut: (sessionId: string) => Promise<void>
}

const kind = 'OurSession'
const lifetimeSeconds = 400 * 86_400
const guestFormSeconds = 3600

/** Returns the applications that a session of ours has signed in to. */
export const readApplications = async (records: Records, sessionId: string): Promise<Stored> =>
  ((await records.find(kind, sessionId)) ?? {}) as Stored

export const forgetApplications = (records: Records, sessionId: string) => records.remove(kind, sessionId)

/** Forgets that a session has signed in to an application. Returns the visit; undefined if it had not. */
export const leaveApplication = async (
  records: Records,
  sessionId: string,
  client: string,
): Promise<Visit | undefined> => {
  const stored = await readApplications(records, sessionId)
  const { [client]: visit, ...authorizations } = stored.authorizations ?? {}
  if (visit) await records.put(kind, sessionId, { ...stored, authorizations } as never, lifetimeSeconds)
  return visit
}

/** Where a session of the engine keeps ours. The engine wraps its sessions, so a map would not find them. */
const ours = Symbol('our session')

/** The session of ours behind one of the engine; undefined for a guest's. */
export const signedInOf = (session: object | undefined): SignedIn | undefined =>
  (session as { readonly [ours]?: SignedIn } | undefined)?.[ours]

/**
 * Reports level and time of a proof to an application, as one pair: of the level that its rule or the request asks for, or else of
 * the newest proof.
 */
export const reportProof = (
  { oidc: { session, params, result } }: Context,
  client: { readonly proof: ProofLevel; readonly session_max: number | null } | undefined,
): void => {
  const who = signedInOf(session)
  if (!session || !who) return
  const asked = askedProof(params ?? {}, declinedBy(result, who.user_id))
  const { acr, auth_time } = reported(asked, client ?? { proof: 'any', session_max: null }, who.proofs)
  Object.assign(session, { acr, loginTs: auth_time })
}

/**
 * Replaces the engine's session with ours: our cookie decides who is signed in, and the engine's session ends with ours. The state
 * that the engine keeps (visited applications, form state) is stored under the id of our session. Guests have a session of the
 * engine for its forms, which never holds a signed-in user.
 */
// oxlint-disable-next-line max-lines-per-function -- it defines one class, inside the provider whose class it extends
export const adoptSession = (provider: Provider, { records, visitor, living, signOut }: Parts): void => {
  // The engine's types omit `instantiate`.
  type Model = Provider['Session'] & { instantiate(payload: object): InstanceType<Provider['Session']> }
  const Session = provider.Session as Model
  const getGuestSession = Session.get.bind(Session)

  const sessionOf = async (who: SignedIn, confirmsLogout: boolean) => {
    const stored = await readApplications(records, who.session_id)
    const session = Session.instantiate({
      ...stored,
      jti: who.session_id,
      uid: who.session_id,
      kind: 'Session',
      accountId: who.user_id,
      loginTs: who.proven_at,
      amr: [...who.amr],
      exp: Number.MAX_SAFE_INTEGER,
    })
    // Without its authorizations, the engine sends no back-channel notices itself. Our queue does, so that the person need not wait.
    if (confirmsLogout) delete session.authorizations
    const save = async (given: typeof session) => {
      const authorizations = confirmsLogout ? stored.authorizations : given.authorizations
      const kept = { authorizations, state: given.state, accountId: who.user_id }
      await records.put(kind, who.session_id, kept as never, lifetimeSeconds)
      return who.session_id
    }
    return Object.defineProperties(session, {
      [ours]: { value: who },
      // The engine must not set a cookie or change the id.
      new: { value: true },
      resetIdentifier: { value: () => {} },
      save: {
        value: async function (this: typeof session) {
          const id = await save(this)
          ;(this as { touched?: boolean }).touched = false
          return id
        },
      },
      persist: {
        value: function (this: typeof session) {
          return save(this)
        },
      },
      destroy: {
        value: async function (this: { destroyed?: boolean }) {
          await signOut(who.session_id)
          this.destroyed = true
        },
      },
    })
  }

  /** The engine's page after an error has a form for a session that was never saved. Save it, or submitting the form would fail. */
  const beginAfterError = (session: InstanceType<Provider['Session']>, { oidc }: KoaContextWithOIDC) =>
    Object.defineProperty(session, 'persist', {
      value: function (this: { id: string; save(ttl: number): Promise<string> }) {
        const secure = provider.issuer.startsWith('https:')
        const rules = { httpOnly: true, sameSite: 'lax', secure, signed: false, path: '/' } as const
        oidc.cookies.set(provider.cookieName('session'), this.id, rules)
        return this.save(guestFormSeconds)
      },
    })

  Session.get = async (ctx) => {
    const context = ctx as KoaContextWithOIDC
    const who = visitor(context)
    const found = who
      ? await sessionOf(who, context.oidc?.route === 'end_session_confirm')
      : await getGuestSession(ctx)
    const session = who || found.accountId === undefined ? found : Session.instantiate({})
    // A person who signed in during this interaction but has signed out since must sign in again.
    if (!who) Object.defineProperty(session, 'loginAccount', { value: () => {} })
    if (!who && session.exp === undefined && context.oidc) beginAfterError(session, context)
    context.oidc?.entity('Session', session)
    return session
  }
  Session.findByUid = async (uid) => {
    const who = await living(uid)
    return who && sessionOf(who, false)
  }
}
