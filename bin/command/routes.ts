import { Option, type Command } from 'commander'
import type { HeroProxy } from '../../sdk/client.ts'
import type { RouteTrial } from '../../sdk/methods.ts'
import { clientFrom, withClientOptions, type ClientFlags } from './client_options.ts'
import { pairs, print } from './output.ts'

interface Flags extends ClientFlags {
  readonly method?: string
  readonly user?: string
  readonly kind?: 'navigation' | 'fetch' | 'websocket'
  readonly address?: string
  readonly json?: boolean
}

const headline = ({ act, status, location, upstream, target }: RouteTrial): string => {
  if (act === 'own') return 'answered by hero_proxy itself'
  if (act === 'redirect') return `redirected (${status}) to ${location}`
  return act === 'refuse' ? `refused (${status})` : `forwarded to ${upstream}, with the path ${target}`
}

/** Prints what would happen, why, by which route and with which headers. */
const printTrial = async (hero: HeroProxy, trial: RouteTrial): Promise<void> => {
  console.log(headline(trial))
  console.log(`because ${trial.why}`)
  if (trial.route !== null) {
    const { domain, path_prefix } = await hero.proxy.routes.get({ id: trial.route })
    console.log(`by the route ${domain}${path_prefix} (${trial.route})`)
  }
  if (trial.headers.length > 0)
    console.log(`\n${pairs(trial.headers.map(({ name, value }) => [name, value]))}`)
}

export const addRoutesCommand = (program: Command): void => {
  const routes = program.command('routes').description('test routes')
  withClientOptions(routes.command('test'))
    .description('show what would happen to a request, and why; no request is sent')
    .argument('<url>', 'such as http://wiki.localhost/page?q=x')
    .option('--method <method>', 'method of the request; GET by default')
    .option('--user <username>', 'the signed-in user who sends the request; a guest by default')
    .addOption(
      new Option('--kind <kind>', 'kind of request; navigation by default').choices([
        'navigation',
        'fetch',
        'websocket',
      ]),
    )
    .option('--address <address>', 'address of the client; 127.0.0.1 by default')
    .option('--json', 'print JSON')
    .action(async (url: string, { method, user, kind, address, json, ...client }: Flags) => {
      const hero = clientFrom(client)
      try {
        const trial = await hero.proxy.routes.test({
          url,
          ...(method !== undefined && { method: method.toUpperCase() }),
          ...(user !== undefined && { user }),
          ...(kind !== undefined && { kind }),
          ...(address !== undefined && { address }),
        })
        if (json) print(trial, true)
        else await printTrial(hero, trial)
      } finally {
        hero.close()
      }
    })
}
