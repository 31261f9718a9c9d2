export interface Told {
  readonly status: number
  readonly title: string
  readonly text: string
  /** Name for programs, as in JSON-RPC's error.data.code. */
  readonly code: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly link?: { readonly href: string; readonly text: string }
}

export const notHere: Told = {
  status: 404,
  title: 'Nothing here',
  text: 'There is no page at this address.',
  code: 'not_found',
}

export const storageAway: Told = {
  status: 503,
  title: 'Not just now',
  text: 'This cannot be decided at the moment. Try again shortly.',
  code: 'unavailable',
  headers: { 'retry-after': '5' },
}
