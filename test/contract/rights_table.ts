/** All claims that the role admin holds. */
export const claims = [
  'proxy.users.read',
  'proxy.users.write',
  'proxy.groups.read',
  'proxy.groups.write',
  'proxy.roles.read',
  'proxy.roles.write',
  'proxy.oauth.read',
  'proxy.oauth.write',
  'proxy.audit.read',
  'proxy.impersonate',
  'proxy.admin',
] as const

/** Who passes the gate: strangers; signed-in people about others, about themselves; holders of one of these claims. */
export interface Row {
  readonly guest: boolean
  readonly other: boolean
  readonly self: boolean
  readonly claims: readonly (typeof claims)[number][]
  /** Administrators of the group that the call is about. */
  readonly groupAdmin?: true
}
export const everybody: Row = { guest: true, other: true, self: true, claims }
export const signedIn: Row = { guest: false, other: true, self: true, claims }
const own = (...claims: Row['claims'][number][]): Row => ({ guest: false, other: false, self: true, claims })
const only = (...claims: Row['claims'][number][]): Row => ({
  guest: false,
  other: false,
  self: false,
  claims,
})

const ofGroup = (...claims: Row['claims'][number][]): Row => ({ ...only(...claims), groupAdmin: true })

/** Written by hand from the requirements. A method without a row fails. */
export const rows: Record<string, Row> = {
  'rpc.discover': everybody,
  health: everybody,
  stats: only('proxy.admin'),
  'auth.setup': everybody,
  'auth.login': everybody,
  'auth.logout': signedIn,
  'auth.me': signedIn,
  'auth.impersonate': only('proxy.impersonate'),
  'auth.stop_impersonating': signedIn,
  'auth.set_password': own('proxy.users.write'),
  'auth.register': everybody,
  'auth.verify_email': everybody,
  'auth.request_password_reset': everybody,
  'auth.reset_password': everybody,
  'auth.request_magic_link': everybody,
  'auth.login_by_link': everybody,
  'auth.change_email': signedIn,
  'users.invite': only('proxy.users.write'),
  'auth.login_by_code': everybody,
  'auth.passkey_options': everybody,
  'auth.login_by_passkey': everybody,
  'auth.prove': signedIn,
  'auth.refresh': everybody,
  'factors.list': own('proxy.users.read'),
  'factors.add_totp': signedIn,
  'factors.confirm_totp': signedIn,
  'factors.remove_totp': signedIn,
  'factors.passkey_options': signedIn,
  'factors.add_passkey': signedIn,
  'factors.rename_passkey': signedIn,
  'factors.remove_passkey': signedIn,
  'factors.renew_recovery_codes': signedIn,
  'factors.clear': only('proxy.users.write'),
  'users.list': only('proxy.users.read'),
  'users.get': own('proxy.users.read'),
  'users.add': only('proxy.users.write'),
  'users.update': own('proxy.users.write'),
  'users.remove': only('proxy.users.write'),
  'users.networks.list': own('proxy.users.read'),
  'users.networks.add': only('proxy.users.write'),
  'users.networks.remove': only('proxy.users.write'),
  'users.keys.list': own('proxy.users.read'),
  'users.keys.add': only('proxy.users.write'),
  'users.keys.remove': only('proxy.users.write'),
  'users.identities.list': own('proxy.users.read'),
  'users.identities.add': only('proxy.users.write'),
  'users.identities.remove': only('proxy.users.write'),
  'groups.list': only('proxy.groups.read'),
  'groups.get': ofGroup('proxy.groups.read'),
  'groups.members': ofGroup('proxy.groups.read'),
  'groups.add': only('proxy.groups.write'),
  'groups.update': only('proxy.groups.write'),
  'groups.remove': only('proxy.groups.write'),
  'groups.add_member': ofGroup('proxy.groups.write'),
  'groups.remove_member': ofGroup('proxy.groups.write'),
  'groups.add_admin': only('proxy.groups.write'),
  'groups.remove_admin': only('proxy.groups.write'),
  'groups.add_role': only('proxy.groups.write'),
  'groups.remove_role': only('proxy.groups.write'),
  'groups.add_claim': only('proxy.groups.write'),
  'groups.remove_claim': only('proxy.groups.write'),
  'roles.list': only('proxy.roles.read'),
  'roles.get': only('proxy.roles.read'),
  'roles.add': only('proxy.roles.write'),
  'roles.update': only('proxy.roles.write'),
  'roles.remove': only('proxy.roles.write'),
  'roles.add_claim': only('proxy.roles.write'),
  'roles.remove_claim': only('proxy.roles.write'),
  'claims.resolve': own('proxy.users.read'),
  'claims.check': own('proxy.users.read'),
  'sessions.list': own('proxy.users.read'),
  // Whose session it is, the method itself asks.
  'sessions.revoke': signedIn,
  'sessions.revoke_all': own('proxy.users.write'),
  'sessions.revocations': only('proxy.users.read'),
  'proxy.routes.list': only('proxy.admin'),
  'proxy.routes.get': only('proxy.admin'),
  'proxy.routes.test': only('proxy.admin'),
  'proxy.routes.add': only('proxy.admin'),
  'proxy.routes.update': only('proxy.admin'),
  'proxy.routes.remove': only('proxy.admin'),
  'settings.list': only('proxy.admin'),
  'settings.get': only('proxy.admin'),
  'settings.set': only('proxy.admin'),
  'services.list': only('proxy.admin'),
  'services.add': only('proxy.admin'),
  'services.update': only('proxy.admin'),
  'services.remove': only('proxy.admin'),
  'mail.test': only('proxy.admin'),
  'mail.list': only('proxy.admin'),
  'keys.jwks': everybody,
  'keys.list': only('proxy.admin'),
  'keys.rotate': only('proxy.admin'),
  'audit.list': only('proxy.audit.read'),
  'audit.verify': only('proxy.audit.read'),
}
/** Where leaving out the person means the caller. */
export const mayLeaveOut = new Set([
  'factors.list',
  'auth.set_password',
  'sessions.list',
  'sessions.revoke_all',
])
