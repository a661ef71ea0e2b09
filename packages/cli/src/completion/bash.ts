// The completion of bash; also of 3.2, which macOS has.

import {
  COMMANDS,
  COMMON_OPTIONS,
  fetchOptions,
  formsOf,
  type OptionValue,
  PLAIN_COMMANDS,
  type PlainCommand,
} from "./options.ts";

/** @param shells - what `meanwhile completion` takes */
export function bashScript(shells: readonly string[]): string {
  const options = fetchOptions();
  const cases = options.flatMap((option) => {
    const reply = replyOf(option.value);
    return reply === undefined ? [] : [`    ${formsOf(option).join("|")}) ${reply}; return ;;`];
  });
  const commands = wordsReply(COMMANDS.map(([name]) => name));
  return `# bash completion of meanwhile
${HELPERS}
_meanwhile() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  # In --name=value the sign is a word of its own.
  if [[ $current == = ]]; then current=
  elif [[ $previous == = ]]; then previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  if (( COMP_CWORD == 1 )); then
    ${optionsOr(COMMON_OPTIONS, commands)}
    return
  fi
  case $command in
    completion) ${optionsOr(["--help"], wordsReply(shells))}; return ;;
${PLAIN_COMMANDS.map(plainCase).join("\n")}
    fetch) ;;
    *) return ;;
  esac
  case $previous in
${cases.join("\n")}
  esac
  ${optionsOr(
    options.map(({ name }) => `--${name}`),
    ":",
  )}
}
complete -F _meanwhile meanwhile
`;
}

// A reply for each line, whatever blanks it has. Names of files are quoted, and those of directories get a slash:
// only where there are names, since a directory may be called like a command.
const HELPERS = `_meanwhile_reply() {
  local reply
  while IFS= read -r reply; do COMPREPLY+=("$reply"); done < <(compgen "$@" -- "$current")
}
_meanwhile_files() {
  compopt -o filenames 2> /dev/null
  _meanwhile_reply "$@"
}`;

const FILES_REPLY = "_meanwhile_files -f";

function plainCase({ name, options, takesFiles }: PlainCommand): string {
  return `    ${name}) ${optionsOr(options, takesFiles ? FILES_REPLY : ":")}; return ;;`;
}

function wordsReply(words: readonly string[]): string {
  return `_meanwhile_reply -W "${words.join(" ")}"`;
}

function optionsOr(options: readonly string[], otherwise: string): string {
  return `if [[ $current == -* ]]; then ${wordsReply(options)}; else ${otherwise}; fi`;
}

/** What completes a value; undefined if there is none. */
function replyOf(value: OptionValue): string | undefined {
  if (value.kind === "none") return undefined;
  if (value.kind === "choice") return wordsReply(value.choices);
  if (value.kind === "text") return ":";
  return value.kind === "file" ? FILES_REPLY : "_meanwhile_files -d";
}
