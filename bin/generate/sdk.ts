export interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly anyOf?: readonly Schema[]
  readonly additionalProperties?: Schema | boolean
}

export interface OpenRpc {
  readonly info: { readonly version: string }
  readonly methods: readonly {
    readonly name: string
    readonly summary: string
    readonly description?: string
    readonly params: readonly { readonly name: string; readonly required: boolean; readonly schema: Schema }[]
    readonly result: { readonly schema: Schema }
    readonly examples: readonly {
      readonly params: readonly { readonly name: string; readonly value: unknown }[]
    }[]
    readonly 'x-required-claim': null | 'self' | readonly string[]
    readonly 'x-aliases'?: readonly string[]
  }[]
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

type Method = OpenRpc['methods'][number]

const comment = (text: string | undefined, indent: string) =>
  text === undefined ? '' : `${indent}/** ${text.replaceAll('*/', '* /')} */\n`

const fields = (
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[],
  indent: string,
): string =>
  Object.entries(properties)
    .map(([name, schema]) => {
      const optional = required.includes(name) ? '' : '?'
      return `${comment(schema.description, `${indent}  `)}${indent}  ${name}${optional}: ${typeOf(schema, `${indent}  `)}\n`
    })
    .join('')

const typeOf = (schema: Schema, indent = ''): string => {
  if (schema.$ref !== undefined) return schema.$ref.split('/').at(-1)!
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.anyOf) return schema.anyOf.map((part) => typeOf(part, indent)).join(' | ')
  switch (schema.type) {
    case 'object':
      if (!schema.properties) return `Record<string, ${valueType(schema, indent)}>`
      return `{\n${fields(schema.properties, schema.required ?? [], indent)}${indent}}`
    case 'array': {
      const item = typeOf(schema.items ?? {}, indent)
      return item.includes('|') ? `(${item})[]` : `${item}[]`
    }
    case 'integer':
      return 'number'
    case 'null':
    case 'string':
    case 'number':
    case 'boolean':
      return schema.type
    default:
      return 'unknown'
  }
}

const valueType = ({ additionalProperties }: Schema, indent: string): string =>
  typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown'

const pascal = (name: string) =>
  name
    .split(/[._]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')

const paramsType = ({ name }: Method) => `${pascal(name)}Params`
const resultType = ({ name, result }: Method) =>
  result.schema.$ref === undefined && result.schema.type === 'object'
    ? `${pascal(name)}Result`
    : typeOf(result.schema)

const paramsInterface = (method: Method): string => {
  const properties = Object.fromEntries(method.params.map(({ name, schema }) => [name, schema]))
  const required = method.params.filter((param) => param.required).map(({ name }) => name)
  if (method.params.length === 0) return `export type ${paramsType(method)} = Record<string, never>\n`
  return `export interface ${paramsType(method)} {\n${fields(properties, required, '')}}\n`
}

const resultInterface = (method: Method): string =>
  resultType(method) === `${pascal(method.name)}Result`
    ? `export type ${resultType(method)} = ${typeOf(method.result.schema)}\n`
    : ''

interface Tree {
  [part: string]: Tree | Method
}

const isMethod = (node: Tree | Method): node is Method => typeof node.name === 'string'

const treeOf = (methods: readonly Method[]): Tree => {
  const tree: Tree = {}
  for (const method of methods) {
    const path = method.name.split('.')
    const last = path.pop()!
    let place = tree
    for (const part of path) place = (place[part] ??= {}) as Tree
    place[last] = method
  }
  return tree
}

const printTree = (tree: Tree, indent: string): string =>
  Object.entries(tree)
    .map(([part, node]) => {
      if (!isMethod(node)) return `${indent}${part}: {\n${printTree(node, `${indent}  `)}${indent}}\n`
      const optional = node.params.some(({ required }) => required) ? '' : '?'
      const words = [node.summary, node.description].filter((text) => text !== undefined).join('. ')
      return `${comment(words, indent)}${indent}${part}(params${optional}: ${paramsType(node)}): Promise<${resultType(node)}>\n`
    })
    .join('')

/** Prints sdk/methods.ts, with every method of the document as a typed function. */
export const printSdk = ({ methods, components }: OpenRpc): string => {
  const named = Object.entries(components.schemas).map(
    ([name, schema]) => `${comment(schema.description, '')}export interface ${name} ${typeOf(schema)}\n`,
  )
  return [
    '// Generated by `npm run generate` from openrpc.json. Do not edit.\n',
    ...named,
    ...methods.map((method) => `${paramsInterface(method)}${resultInterface(method)}`),
    `/** Params and result of every method, by name. */\nexport interface Methods {\n${methods
      .map(
        (method) => `  '${method.name}': { params: ${paramsType(method)}; result: ${resultType(method)} }\n`,
      )
      .join('')}}\n`,
    'export type MethodName = keyof Methods\n',
    `/** The methods, each under its namespace. */\nexport interface HeroProxyMethods {\n${printTree(treeOf(methods), '  ')}}\n`,
    `export const methodNames = [\n${methods.map(({ name }) => `  '${name}',\n`).join('')}] as const\n`,
  ].join('\n')
}
