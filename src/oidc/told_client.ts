import type { Client } from '../clients/client.ts'

/** A client that hears of the end of sessions. Whether one with a metadata document does, its document says when a notice is sent. */
export type Told = Pick<Client, 'client' | 'backchannel_logout_uri'>

/** A client that only has a metadata document; undefined for any other id. */
export const withDocument = (client: string): Told | undefined =>
  client.startsWith('https://') ? { client, backchannel_logout_uri: client } : undefined
