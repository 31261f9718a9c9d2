import type { ProofRule } from '../contract/proofs.ts'

/** The application that requests access to a person's account, and what it requests. */
export interface ConsentRequest {
  readonly name: string
  /** The host to which the response goes. */
  readonly host: string
  /**
   * For a client that no administrator added: the host of its metadata document, or empty if it registered itself. Undefined for
   * other clients.
   */
  readonly stranger: string | undefined
  readonly scopes: readonly string[]
}

/** The person must prove more, or again, who they are. */
export interface ProofStep {
  readonly act: 'prove'
  readonly name: string
  readonly asks?: ProofRule | undefined
  /** Whether the request goes on if the person declines. Otherwise the application gets an error. */
  readonly optional: boolean
}

/** The next step between an application's request and our response. */
export type Step =
  | { readonly act: 'gone' }
  /**
   * `hint` is the login that the application suggests. It is untrusted text. With `chooses`, a provider must ask for the account too.
   */
  | { readonly act: 'sign in'; readonly hint: string; readonly chooses: boolean }
  | ProofStep
  /** The rule of the application does not let this person in. With a token, they may ask for access. */
  | {
      readonly act: 'no access'
      readonly name: string
      readonly host: string
      readonly token: string | undefined
    }
  | { readonly act: 'go on'; readonly to: string }
  | { readonly act: 'switch'; readonly name: string }
  /** The application wants the person to choose an account, and they are signed in. */
  | { readonly act: 'choose'; readonly name: string }
  | { readonly act: 'ask'; readonly asking: ConsentRequest }
