import type { Config } from '../config/config.ts'

export const speaksTls = ({ tls_cert, acme_directory }: Config): boolean =>
  tls_cert.length > 0 || acme_directory !== undefined

/** Rejects TLS settings that are valid alone but not in combination. Throws with one readable line. */
export const refuseIncompleteTls = (config: Config): void => {
  const { tls_cert, tls_key, acme_directory, acme_email, plain_listen } = config
  if (tls_cert.length !== tls_key.length)
    throw new Error(
      `tls_cert names ${tls_cert.length} files and tls_key ${tls_key.length}: each certificate needs its key`,
    )
  if (acme_directory !== undefined && (acme_email === undefined || plain_listen === undefined))
    throw new Error(
      'acme_directory needs acme_email, and plain_listen for the challenges, reachable from outside as port 80',
    )
  if (acme_directory === undefined && acme_email !== undefined)
    throw new Error('acme_email has no effect without acme_directory')
  if (plain_listen !== undefined && !speaksTls(config))
    throw new Error('plain_listen redirects to https, which needs tls_cert or acme_directory')
}
