import { ConfigError, type Config } from '../config/config.ts'

/** Rejects an earlier public URL at the host of the present one: the host could not be both. Throws with one readable line. */
export const refusePreviousAtHome = ({
  public_url,
  previous_public_urls,
}: Pick<Config, 'public_url' | 'previous_public_urls'>): void => {
  const { hostname } = new URL(public_url)
  const same = previous_public_urls.find((url) => new URL(url).hostname === hostname)
  if (same !== undefined)
    throw new ConfigError(
      `previous_public_urls: ${same} has the host of public_url, ${public_url}; list only URLs with other hosts`,
    )
}
