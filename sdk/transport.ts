/** Carries one JSON-RPC call and returns its result. Rejects with a HeroError, or a ConnectionError if no answer came. */
export interface Transport {
  call(method: string, params: unknown, authorization: string | undefined): Promise<unknown>
  close(): void
}
