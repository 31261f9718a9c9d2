import { Command, CommanderError } from 'commander'
import { ConnectionError, HeroError } from '../sdk/errors.ts'
import { addCallCommand } from './command/call.ts'
import { addCompletionCommand } from './command/completion.ts'
import { addImportCommand } from './command/import.ts'
import { addRoutesCommand } from './command/routes.ts'
import { addServeCommand } from './command/serve.ts'
import { addSetupCommand } from './command/setup.ts'
import { addSignCommand } from './command/sign.ts'
import { addStatusCommand } from './command/status.ts'
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
addSetupCommand(program)
addStatusCommand(program)
addCallCommand(program)
addSignCommand(program)
addRoutesCommand(program)
addImportCommand(program)
addCompletionCommand(program)

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
