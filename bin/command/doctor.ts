import type { Command } from 'commander'
import { clientFrom, withClientOptions, type ClientFlags } from './client_options.ts'
import { pairs } from './output.ts'

export const addDoctorCommand = (program: Command): void => {
  withClientOptions(program.command('doctor'))
    .description('check the installation and say what to do; exit status 1 if a check fails')
    .option('--json', 'print JSON')
    .action(async (flags: ClientFlags & { json?: boolean }) => {
      const hero = clientFrom(flags)
      try {
        const { checks } = await hero.doctor.checks()
        const lines = checks.map(
          ({ level, text, advice }) => [level, advice === null ? text : `${text}. ${advice}`] as const,
        )
        console.log(flags.json ? JSON.stringify({ checks }, null, 2) : pairs(lines))
        if (checks.some(({ level }) => level === 'fail')) process.exitCode = 1
      } finally {
        hero.close()
      }
    })
}
