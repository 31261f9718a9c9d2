import type { KoaContextWithOIDC } from 'oidc-provider'

type Show<A extends readonly unknown[]> = (ctx: KoaContextWithOIDC, ...about: A) => void | Promise<void>

/** The pages of the engine's own endpoints, implemented by pages/. */
export interface EnginePages {
  readonly logout: Show<[form: string]>
  readonly loggedOut: Show<[]>
  readonly device: Show<[form: string, out?: object, error?: Error]>
  readonly deviceConfirm: Show<[form: string, client: unknown, info: object, code: string]>
  readonly deviceDone: Show<[]>
  /** A page that continues by itself to an address of the application. */
  readonly leave: Show<[to: string]>
  readonly error: Show<[out: { error: string; error_description?: string }, error: Error]>
}
