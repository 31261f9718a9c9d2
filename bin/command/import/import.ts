import { nameFrom } from '../../../src/contract/names.ts'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import { CommanderError, type Command } from 'commander'
import type { HeroProxy } from '../../../sdk/client.ts'
import { HeroError } from '../../../sdk/errors.ts'
import { clientFrom, withClientOptions, type ClientFlags } from '../client_options.ts'
import { readHeroAuth, type OldClient, type OldUser } from './hero_auth.ts'
import { pairs } from '../output.ts'

interface Flags extends ClientFlags {
  readonly yes?: boolean
  readonly dryRun?: boolean
}

interface Step {
  /** The client or user, as text. */
  readonly what: string
  readonly plan: string
  /** Undefined if there is nothing to do. */
  readonly run?: () => Promise<string>
}

/** Replaces control characters: a list from another source could manipulate the terminal. */
const shown = (name: string): string => name.replaceAll(/\p{C}/gu, '?')

const exists = (asking: Promise<unknown>): Promise<boolean> =>
  asking.then(
    () => true,
    (error: unknown) => {
      // An invalid name is reported when it is added.
      if (error instanceof HeroError && ['not_found', 'invalid_params'].includes(error.code)) return false
      throw error
    },
  )

const clientStep = async (hero: HeroProxy, old: OldClient): Promise<Step> => {
  const { client, name, scopes, secret_sha256 } = old
  const what = `client ${shown(client)}`
  if (await exists(hero.clients.get({ client }))) return { what, plan: 'is there already' }
  const kept = secret_sha256 === undefined ? 'with a new secret' : 'with its present secret'
  return {
    what,
    plan: `add, ${kept}, for ${scopes.join(' ')}`,
    run: async () => {
      const { client_secret } = await hero.clients.add({
        anyone: true,
        client,
        name,
        scopes,
        ...(secret_sha256 !== undefined && { secret_sha256 }),
      })
      return client_secret === null ? 'added' : `added; its secret, shown this once: ${client_secret}`
    },
  }
}

const userStep = async (hero: HeroProxy, old: OldUser): Promise<Step> => {
  const { username, email, was_admin } = old
  const display_name = nameFrom(old.display_name ?? '')
  const what = `user ${shown(username)}`
  const taken =
    (await exists(hero.users.get({ username }))) ||
    (email !== undefined && (await exists(hero.users.get({ email }))))
  if (taken) return { what, plan: 'is there already' }
  const then =
    email === undefined
      ? 'without an email address, so no new password can be requested'
      : 'and request a new password by mail'
  const rights = was_admin ? '; was an administrator there, but does not become one here' : ''
  return {
    what,
    plan: `add, ${then}${rights}`,
    run: async () => {
      await hero.users.add({
        username,
        ...(email !== undefined && { email }),
        ...(display_name !== '' && { display_name }),
      })
      if (email === undefined) return 'added'
      await hero.auth.request_password_reset({ email })
      return 'added, and mailed'
    },
  }
}

const confirmed = async (): Promise<boolean> => {
  if (!process.stdin.isTTY) return false
  const lines = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await lines.question('\nContinue? [y/N] ')
  lines.close()
  return /^y(es)?$/i.test(answer.trim())
}

/** Runs each step independently: a failure is reported and the other steps still run. The next run does what is left. */
const runSteps = async (steps: readonly Step[]): Promise<number> => {
  let failed = 0
  for (const { what, run } of steps) {
    try {
      console.log(`${what}: ${await run!()}`)
    } catch (error) {
      if (!(error instanceof HeroError)) throw error
      failed++
      console.error(`${what}: ${error.message}`)
    }
  }
  return failed
}

const textOf = (file: string): string => {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    const message = `cannot read ${file} (${(error as NodeJS.ErrnoException).code})`
    console.error(`hero-proxy import: ${message}`)
    throw new CommanderError(1, 'hero-proxy.import', message)
  }
}

export const addImportCommand = (program: Command): void => {
  const command = program.command('import').description('import the data of another service')
  withClientOptions(command.command('hero-auth'))
    .description(
      'import the clients and users of the old hero_auth from a JSON file; users are asked for a new password',
    )
    .argument(
      '<file>',
      '{"clients": [{"client_id", "client_secret"}], "users": [{"username", "email"}]}; - for standard input',
    )
    .option('--dry-run', 'only show what the import would do')
    .option('--yes', 'import without asking')
    .addHelpText(
      'after',
      '\nYou can run it again: what exists already stays as it is. docs/guides/tokens.md describes the format.',
    )
    .action(async (file: string, { yes, dryRun, ...flags }: Flags) => {
      const list = readHeroAuth(textOf(file), (secret) => createHash('sha256').update(secret).digest('hex'))
      const hero = clientFrom(flags)
      try {
        const steps: Step[] = []
        for (const client of list.clients) steps.push(await clientStep(hero, client))
        for (const user of list.users) steps.push(await userStep(hero, user))
        console.log(
          steps.length === 0 ? 'The list is empty.' : pairs(steps.map(({ what, plan }) => [what, plan])),
        )
        const todo = steps.filter(({ run }) => run)
        if (dryRun || todo.length === 0) return
        if (!yes && !(await confirmed()))
          return void console.log('\nNothing was imported. Use --yes to import without a question.')
        console.log()
        if ((await runSteps(todo)) > 0) process.exitCode = 1
      } finally {
        hero.close()
      }
    })
}
