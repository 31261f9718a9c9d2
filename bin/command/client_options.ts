import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Option, type Command } from 'commander'
import { HeroProxy, defaultSocket } from '../../sdk/client.ts'
import type { OpenRpc } from '../generate/sdk.ts'

export interface ClientFlags {
  readonly socket?: string
  readonly url?: string
}

/** Adds the options of every command that calls a running daemon. */
export const withClientOptions = (command: Command): Command =>
  command
    .addOption(new Option('--socket <path>', 'path of rpc.sock').default(undefined, defaultSocket()))
    .addOption(
      new Option(
        '--url <origin>',
        'origin of the edge, to use instead of the socket; set the token in HERO_PROXY_TOKEN',
      ).env('HERO_PROXY_URL'),
    )

/** Creates a client. The bearer token comes from HERO_PROXY_TOKEN, because every process can read arguments. */
export const clientFrom = ({ socket, url }: ClientFlags): HeroProxy =>
  new HeroProxy({ socket, url, token: process.env.HERO_PROXY_TOKEN || undefined, startTimeout: 0 })

/** The OpenRPC document of this version, for help and completion. */
export const openrpc = (): OpenRpc =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'openrpc.json'), 'utf8')) as OpenRpc
