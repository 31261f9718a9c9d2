import type { OpenRpc, Schema } from '../generate/sdk.ts'

type Method = OpenRpc['methods'][number]

/** The JSON types of a parameter. */
export const kindsOf = (schema: Schema): string[] =>
  schema.anyOf
    ? schema.anyOf.flatMap(kindsOf)
    : schema.enum
      ? ['string']
      : schema.type === undefined
        ? []
        : [schema.type]

/** The placeholder for a value: `true|false`, the allowed names, or the type. */
const placeholder = ({ anyOf, enum: names, type, items }: Schema): string => {
  if (anyOf) return anyOf.map(placeholder).join('|')
  if (names) return names.join('|')
  if (type === 'boolean') return 'true|false'
  if (type === 'integer' || type === 'number') return 'number'
  if (type === 'array') return items && kindsOf(items).includes('string') ? `${placeholder(items)},…` : 'JSON'
  return type === 'object' ? 'JSON' : type === 'null' ? 'null' : 'text'
}

const descriptionOf = ({ description, anyOf, items }: Schema): string | undefined =>
  description ?? anyOf?.find((part) => part.description !== undefined)?.description ?? items?.description

const ruleText = (rule: Method['x-required-claim']) =>
  rule === null ? 'anyone' : rule === 'self' ? 'any authenticated caller' : rule.join(' or ')

const parameter = ({ name, required, schema }: Method['params'][number]): string => {
  const meaning = descriptionOf(schema)
  const head = `  --${name} <${placeholder(schema)}>${required ? ' (required)' : ''}`
  return meaning === undefined ? head : `${head}\n      ${meaning}`
}

/** The output of `hero-proxy call METHOD --help`. */
export const helpOf = (method: Method): string => {
  const { name, summary, description, params, examples } = method
  const example = Object.fromEntries(examples[0]!.params.map((param) => [param.name, param.value]))
  return [
    `${name}: ${summary}`,
    ...(description === undefined ? [] : [description]),
    '',
    `Who may call it: ${ruleText(method['x-required-claim'])}`,
    '',
    params.length > 0 ? `Parameters:\n${params.map(parameter).join('\n')}` : 'No parameters.',
    '',
    `Example:\n  hero-proxy call ${name}${params.length > 0 ? ` '${JSON.stringify(example)}'` : ''}`,
  ].join('\n')
}

/** The values that completion offers after `--name`; empty if any text is allowed. */
export const choicesOf = (schema: Schema): string[] =>
  schema.anyOf
    ? schema.anyOf.flatMap(choicesOf)
    : schema.enum
      ? schema.enum.map(String)
      : schema.type === 'boolean'
        ? ['true', 'false']
        : []
