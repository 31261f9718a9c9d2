import type { Command } from 'commander'
import { addCallCommand } from './call.ts'
import { addCompletionCommand } from './completion.ts'
import { addDoctorCommand } from './doctor.ts'
import { addImportCommand } from './import/import.ts'
import { addRoutesCommand } from './routes.ts'
import { addSetupCommand } from './setup.ts'
import { addSignCommand } from './sign.ts'
import { addStatusCommand } from './status.ts'

/** Adds every command except `serve`. */
export const addOtherCommands = (program: Command): void => {
  addSetupCommand(program)
  addStatusCommand(program)
  addDoctorCommand(program)
  addCallCommand(program)
  addSignCommand(program)
  addRoutesCommand(program)
  addImportCommand(program)
  addCompletionCommand(program)
}
