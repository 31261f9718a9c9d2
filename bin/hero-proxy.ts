import { Command, CommanderError } from 'commander'
import { ConnectionError, HeroError } from '../sdk/errors.ts'
import { addServeCommand } from './command/serve.ts'
import { version } from '../src/version.ts'

const program = new Command('hero-proxy')
  .description(
    'The front door of a self-hosted stack: manages its users, identifies callers, and lets traffic in.',
  )
  .version(version)
  .exitOverride()
  .enablePositionalOptions()
  .showHelpAfterError('(use --help for more information)')

addServeCommand(program)
// The daemon starts faster without the modules of the other commands.
if (process.argv[2] !== 'serve') (await import('./command/register.ts')).addOtherCommands(program)

try {
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) process.exit(error.exitCode)
  if (!(
    error instanceof HeroError ||
    error instanceof ConnectionError ||
    (error as Error).name === 'ConfigError'
  ))
    throw error
  console.error(`hero-proxy: ${(error as Error).message}`)
  process.exit(1)
}
