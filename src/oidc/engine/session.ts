import type Provider from 'oidc-provider'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Records } from './records.ts'
import type { SignedIn } from '../signed_in.ts'

type Stored = Pick<InstanceType<Provider['Session']>, 'authorizations' | 'state'>

interface Parts {
  readonly records: Records
  /** Who is signed in at a request. */
  readonly visitor: (ctx: KoaContextWithOIDC) => SignedIn | undefined
  readonly living: (sessionId: string) => Promise<SignedIn | undefined>
  readonly signOut: (sessionId: string) => Promise<void>
}

const kind = 'OurSession'
const lifetime = 400 * 86_400
/** Seconds that a guest has for a form. */
const ofForm = 3600

/** Which applications a session of ours signed in to. */
export const readVisits = async (records: Records, sessionId: string): Promise<Stored> =>
  ((await records.find(kind, sessionId)) ?? {}) as Stored

export const forgetVisits = (records: Records, sessionId: string) => records.remove(kind, sessionId)

/**
 * The engine's session is ours: it is as signed in as our cookie says, and ends when our session does. What it remembers, which
 * applications were visited and what its forms carry, lies beside our session. Guests have a session of the engine's own, for
 * its forms, that never holds anybody.
 */
// oxlint-disable-next-line max-lines-per-function -- it defines one class, inside the provider whose class it extends
export const adoptSession = (provider: Provider, { records, visitor, living, signOut }: Parts): void => {
  // Its types leave this out.
  type Model = Provider['Session'] & { instantiate(payload: object): InstanceType<Provider['Session']> }
  const Session = provider.Session as Model
  const ofGuest = Session.get.bind(Session)

  const of = async (who: SignedIn, confirmsLogout: boolean) => {
    const stored = await readVisits(records, who.session_id)
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
    // Whom to tell that a session ended is read when it has, and told from a queue: not while somebody waits for the page.
    if (confirmsLogout) delete session.authorizations
    const save = async (given: typeof session) => {
      const authorizations = confirmsLogout ? stored.authorizations : given.authorizations
      const kept = { authorizations, state: given.state, accountId: who.user_id }
      await records.put(kind, who.session_id, kept as never, lifetime)
      return who.session_id
    }
    return Object.defineProperties(session, {
      // No cookie of its own.
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

  /** Its page after an error carries a form for a session that was never written: without this, that is an error of its own. */
  const beginAfterError = (session: InstanceType<Provider['Session']>, { oidc }: KoaContextWithOIDC) =>
    Object.defineProperty(session, 'persist', {
      value: function (this: { id: string; save(ttl: number): Promise<string> }) {
        const secure = provider.issuer.startsWith('https:')
        const rules = { httpOnly: true, sameSite: 'lax', secure, signed: false, path: '/' } as const
        oidc.cookies.set(provider.cookieName('session'), this.id, rules)
        return this.save(ofForm)
      },
    })

  Session.get = async (ctx) => {
    const context = ctx as KoaContextWithOIDC
    const who = visitor(context)
    const found = who ? await of(who, context.oidc?.route === 'end_session_confirm') : await ofGuest(ctx)
    const session = who || found.accountId === undefined ? found : Session.instantiate({})
    // Who proved themselves on the way and is signed out by now is asked anew: what they proved ended with their session.
    if (!who) Object.defineProperty(session, 'loginAccount', { value: () => {} })
    if (!who && session.exp === undefined && context.oidc) beginAfterError(session, context)
    context.oidc?.entity('Session', session)
    return session
  }
  Session.findByUid = async (uid) => {
    const who = await living(uid)
    return who && of(who, false)
  }
}
