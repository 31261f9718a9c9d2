import type { Command } from 'commander'
import { clientFrom, withClientOptions, type ClientFlags } from './client_options.ts'
import { print } from './output.ts'

export const addStatusCommand = (program: Command): void => {
  withClientOptions(program.command('status'))
    .description('show whether the daemon runs, and its state; exit status 1 if it does not answer')
    .option('--json', 'print JSON')
    .action(async (flags: ClientFlags & { json?: boolean }) => {
      const hero = clientFrom(flags)
      try {
        const health = await hero.health()
        // Only administrators get the numbers; all others get only the health.
        const stats = await hero.stats().catch(() => ({}))
        print({ ...health, ...stats }, flags.json)
      } finally {
        hero.close()
      }
    })
}
