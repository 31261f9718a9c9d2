import type { ClientResponse, ReceivedRequest } from '../../wire/client_response.ts'
import { valuesOf } from '../../wire/header_list.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { ownHeaders, send } from '../../wire/responses.ts'

/**
 * A service that once shared this host may have left a service worker, which would see every page and form of home. Browsers fetch a
 * worker's script again when they check for updates; this one replaces it and removes itself.
 */
const removing = `self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => event.waitUntil(self.registration.unregister()))
`

/** Whether a browser fetches the script of a service worker (Service Workers, section 4: `Service-Worker: script`). */
export const asksForWorker = ({ rawHeaders }: ReceivedRequest): boolean =>
  valuesOf(rawHeaders, 'service-worker').length > 0

export const sendRemovingWorker = (to: ClientResponse, asked: EdgeRequest): void =>
  send(to, 200, 'text/javascript; charset=utf-8', removing, ownHeaders(asked))
