import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import type { Command } from 'commander'
import { clientFrom, withClientOptions, type ClientFlags } from './client_options.ts'

interface Flags extends ClientFlags {
  readonly username?: string
  readonly email?: string
  readonly passwordStdin?: boolean
}

/** Prompts at the terminal. Secrets are not shown while they are typed. */
const terminalPrompts = () => {
  let hidden = false
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      if (!hidden) process.stdout.write(chunk)
      done()
    },
  })
  const lines = createInterface({ input: process.stdin, output, terminal: true })
  const ask = async (question: string) => (await lines.question(`${question}: `)).trim()
  const askSecret = async (question: string) => {
    process.stdout.write(`${question}: `)
    hidden = true
    const answer = await lines.question('')
    hidden = false
    process.stdout.write('\n')
    return answer
  }
  return { ask, askSecret, close: () => lines.close() }
}

const readStdin = async (): Promise<string> => {
  let text = ''
  for await (const chunk of process.stdin) text += String(chunk)
  return text.replace(/\r?\n$/, '')
}

export const addSetupCommand = (program: Command): void => {
  withClientOptions(program.command('setup'))
    .description('create the first administrator over the socket, or a new one if none is left')
    .option('--username <name>')
    .option('--email <address>')
    .option('--password-stdin', 'read the password from standard input instead of asking')
    .action(async (flags: Flags) => {
      const terminal = flags.passwordStdin ? undefined : terminalPrompts()
      const hero = clientFrom(flags)
      try {
        const username = flags.username ?? (await terminal?.ask('Username')) ?? ''
        const email = flags.email ?? (await terminal?.ask('Email')) ?? ''
        const password = terminal ? await terminal.askSecret('Password') : await readStdin()
        const { user } = await hero.auth.setup({ username, email, password })
        console.log(`${user} is now an administrator and can sign in.`)
      } finally {
        terminal?.close()
        hero.close()
      }
    })
}
