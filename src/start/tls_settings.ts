import type { Config } from '../config/config.ts'

export const speaksTls = ({ tls_cert, acme_directory }: Config): boolean =>
  tls_cert.length > 0 || acme_directory !== undefined

/** Settings of TLS that are allowed each and make no sense together. Throws with one line for people. */
export const refuseHalfTls = (config: Config): void => {
  const { tls_cert, tls_key, acme_directory, acme_email, plain_listen } = config
  if (tls_cert.length !== tls_key.length)
    throw new Error(
      `tls_cert names ${tls_cert.length} files and tls_key ${tls_key.length}: each certificate needs its key`,
    )
  if (acme_directory !== undefined && (acme_email === undefined || plain_listen === undefined))
    throw new Error(
      'acme_directory needs acme_email, and plain_listen where the authority finds the challenges: port 80 as seen from outside',
    )
  if (acme_directory === undefined && acme_email !== undefined)
    throw new Error('acme_email means nothing without acme_directory')
  if (plain_listen !== undefined && !speaksTls(config))
    throw new Error('plain_listen redirects to https, which needs tls_cert or acme_directory')
}
