import { CommanderError, type Command } from 'commander'
import type { MethodName } from '../../sdk/methods.ts'
import type { OpenRpc, Schema } from '../generate/sdk.ts'
import { clientFrom, openrpc, withClientOptions, type ClientFlags } from './client_options.ts'
import { helpOf, kindsOf } from './method_help.ts'
import { print } from './output.ts'

type Method = OpenRpc['methods'][number]

/** Reports wrong usage of the command, with exit status 2 as for a wrong option. */
const misuse = (message: string) => {
  console.error(`hero-proxy call: ${message}`)
  return new CommanderError(2, 'hero-proxy.misuse', message)
}

const readValue = (name: string, schema: Schema, text: string): unknown => {
  const kinds = kindsOf(schema)
  if (text === 'null' && kinds.includes('null')) return null
  if ((text === 'true' || text === 'false') && kinds.includes('boolean')) return text === 'true'
  if (/^-?[0-9]+$/.test(text) && (kinds.includes('integer') || kinds.includes('number'))) return Number(text)
  if (kinds.includes('string')) return text
  if (kinds.includes('array') && !text.startsWith('[')) return text.split(',')
  try {
    return JSON.parse(text)
  } catch {
    throw misuse(`--${name} must be ${kinds.join(' or ')}`)
  }
}

/** Reads parameters from a JSON text, from `--name value` pairs, or both; later ones win. A `--name` without a value is true. */
const readParams = (method: Method, words: readonly string[]): Record<string, unknown> => {
  const params: Record<string, unknown> = {}
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!
    if (!word.startsWith('--')) {
      if (!word.startsWith('{'))
        throw misuse(`${JSON.stringify(word)} is neither --parameter nor a JSON object`)
      Object.assign(params, parseObject(word))
      continue
    }
    const [name = '', given] = word.slice(2).split(/=(.*)/s)
    const known = name.replaceAll('-', '_')
    const descriptor = method.params.find((param) => param.name === known)
    if (!descriptor && (known === 'socket' || known === 'url'))
      throw misuse(`--${known} goes before the method: hero-proxy call --${known} … ${method.name}`)
    if (!descriptor) {
      const names = method.params.map((param) => `--${param.name}`).join(', ') || 'none'
      throw misuse(`${method.name} has no parameter --${name}; its parameters are: ${names}`)
    }
    const next = words[i + 1]
    if (given !== undefined) params[known] = readValue(known, descriptor.schema, given)
    else if (next === undefined || next.startsWith('--')) params[known] = true
    else params[known] = readValue(known, descriptor.schema, words[++i]!)
  }
  return params
}

const parseObject = (text: string): object => {
  try {
    return JSON.parse(text) as object
  } catch (error) {
    throw misuse(`invalid JSON: ${(error as Error).message}`)
  }
}

const nearest = (name: string, methods: readonly Method[]): string => {
  const [, last = name] = /([^.]*)$/.exec(name) ?? []
  const alike = methods.filter(
    (method) =>
      method.name.includes(name) ||
      method.name.endsWith(`.${last}`) ||
      method.name.split('.')[0] === name.split('.')[0],
  )
  return alike.length > 0
    ? `; similar methods are ${alike.map((method) => method.name).join(', ')}`
    : '; `hero-proxy call --list` lists all methods'
}

export const addCallCommand = (program: Command): void => {
  withClientOptions(program.command('call'))
    .description('call a method: hero-proxy call users.add --username ada, or with one JSON object')
    .argument('[method]', 'such as users.list; `hero-proxy call METHOD --help` shows its parameters')
    .argument('[params...]', "a JSON object, or --name value pairs; the method's options come after its name")
    .option('--json', 'print JSON')
    .option('--list', 'list all methods')
    .helpOption(false)
    .passThroughOptions()
    .allowUnknownOption()
    .action(
      async (
        name: string | undefined,
        words: string[],
        flags: ClientFlags & { json?: boolean; list?: boolean },
        command: Command,
      ) => {
        const { methods } = openrpc()
        if (flags.list)
          return console.log(
            methods.map((method) => `${method.name.padEnd(24)} ${method.summary}`).join('\n'),
          )
        if (name === undefined || name === '--help' || name === '-h')
          return console.log(command.helpInformation())
        const method = methods.find((known) => known.name === name || known['x-aliases']?.includes(name))
        if (!method) throw misuse(`there is no method ${name}${nearest(name, methods)}`)
        if (words.includes('--help') || words.includes('-h')) return console.log(helpOf(method))
        const json = flags.json || words.includes('--json') ? true : undefined
        const params = readParams(
          method,
          words.filter((word) => word !== '--json'),
        )
        const hero = clientFrom(flags)
        try {
          print(await hero.call(method.name as MethodName, params as never), json)
        } finally {
          hero.close()
        }
      },
    )
}
