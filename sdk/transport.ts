/** Carries one JSON-RPC call and returns its result. Rejects with a HeroError, or with a ConnectionError if there is no answer. */
export interface Transport {
  call(method: string, params: unknown, authorization: string | undefined): Promise<unknown>
  close(): void
}
