import type { OwnPath } from '../../wire/own_path.ts'
import * as previous from './passkey.ts'
import type { PreviousParts } from './passkey.ts'

/** What the hosts of earlier public URLs serve. */
export const previousPaths = (parts: PreviousParts): readonly OwnPath[] => {
  const at = ['previous'] as const
  const passkey = '/.hero_proxy/passkey'
  return [
    { path: passkey, methods: ['GET'], at, handler: previous.askPasskey(parts) },
    { path: passkey, methods: ['POST'], takes: 'form', at, handler: previous.takePasskey(parts) },
    { path: '/.well-known/webauthn', methods: ['GET'], at, handler: previous.sendRelatedOrigins(parts) },
    { path: '/*', methods: [], at, handler: previous.leadHome(parts) },
  ]
}
