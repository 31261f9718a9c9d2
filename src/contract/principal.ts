/** How a person proved who they are; `local` and `oauth` are sessions, opened in our own ways or by a provider. */
export type AuthMethod = 'none' | 'network' | 'bearer' | 'oauth' | 'local' | 'signature'
