import { Command, CommanderError } from 'commander'
import { ConnectionError, HeroError } from '../sdk/errors.ts'
import { addServeCommand } from './command/serve.ts'
import { version } from '../src/version.ts'

const program = new Command('hero-proxy')
  .description(
    'The one door of a self-hosted stack: keeps its people, decides who is asking, lets traffic in.',
  )
  .version(version)
  .exitOverride()
  .enablePositionalOptions()
  .showHelpAfterError('(--help tells more)')

addServeCommand(program)
// The daemon starts without what only the others need.
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
