/** How a person proved who they are; `local` and `oauth` are sessions, opened in our own ways or by a provider. */
export type AuthMethod = 'none' | 'network' | 'bearer' | 'oauth' | 'local' | 'signature'

/** The one thing that somebody is known by: a session, or what names them without one. Its id is unique among those of its kind. */
export interface Proof {
  readonly by: 'session' | 'token' | 'network' | 'key' | 'route_test'
  readonly id: string
}
