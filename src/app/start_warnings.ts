import type { Log } from '../log/log.ts'
import type { IsOwnPath } from '../routes/route_checks.ts'
import type { Route } from '../routes/route.ts'
import type { Rooms } from './rooms.ts'

/** Logs what an administrator should change, although everything runs. */
export const warnAtStart = async (
  { settings, routes, clientLists }: Pick<Rooms, 'settings' | 'routes' | 'clientLists'>,
  isOwnPath: IsOwnPath,
  log: Log,
): Promise<void> => {
  if (await settings.value('hs256_tokens'))
    log.warn(
      'hs256_tokens is on: any holder of HERO_SECRET can make tokens that the old services accept; turn it off when they have migrated',
    )
  const atHome = await routes.atHome()
  if (atHome.length > 0)
    log.warn(
      { routes: atHome.map(({ shares_home, ...route }) => ({ ...named(route), shares_home })) },
      'these routes lie at the host of the public URL: pages of their services can do all that the signed-in person can; give hero_proxy a host name of its own',
    )
  const open = await clientLists.withoutRule()
  if (open.length > 0)
    log.warn(
      { clients: open },
      'every active person may sign in to these applications; give them required_claims if that is not meant',
    )
  const shadowed = await routes.shadowed(isOwnPath)
  if (shadowed.length > 0)
    log.warn(
      { routes: shadowed.map(named) },
      'these routes get no request: hero_proxy answers their paths itself; move or remove them',
    )
}

const named = ({ name, domain, path_prefix }: Pick<Route, 'name' | 'domain' | 'path_prefix'>) => ({
  name,
  domain,
  path_prefix,
})
