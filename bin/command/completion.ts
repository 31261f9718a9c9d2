import type { Command } from 'commander'
import type { OpenRpc } from '../generate/sdk.ts'
import { openrpc } from './client_options.ts'
import { choicesOf } from './method_help.ts'

/** One case of the script: a pattern of the method and the previous word, and the words to offer. */
const offer = (pattern: string, words: readonly string[]) =>
  `      ${pattern}) COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$current")) ;;`

/** Offers the values of a parameter if there are few, and otherwise the parameters of the method. */
const offers = ({ name, params }: OpenRpc['methods'][number]): string[] => [
  ...params
    .map((param) => ({ pattern: `"${name} --${param.name}"`, values: choicesOf(param.schema) }))
    .filter(({ values }) => values.length > 0)
    .map(({ pattern, values }) => offer(pattern, values)),
  offer(`"${name} "*`, [...params.map((param) => `--${param.name}`), '--json', '--help']),
]

const script = (
  commands: readonly string[],
  methods: OpenRpc['methods'],
): string => `# hero-proxy completion for bash; in zsh run "autoload -U bashcompinit && bashcompinit" first.
_hero_proxy() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${commands.join(' ')} --help --version" -- "$current"))
  elif [ "\${COMP_WORDS[1]}" = call ] && [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "${methods.map(({ name }) => name).join(' ')} --list --help" -- "$current"))
  elif [ "\${COMP_WORDS[1]}" = call ]; then
    case "\${COMP_WORDS[2]} \${COMP_WORDS[COMP_CWORD-1]}" in
${methods.flatMap(offers).join('\n')}
    esac
  fi
}
complete -F _hero_proxy hero-proxy`

export const addCompletionCommand = (program: Command): void => {
  program
    .command('completion')
    .description('print completion for bash and zsh: source <(hero-proxy completion)')
    .action(() =>
      console.log(
        script(
          program.commands.map((command) => command.name()),
          openrpc().methods,
        ),
      ),
    )
}
