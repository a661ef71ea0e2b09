// `meanwhile completion bash|zsh|fish`: what the shell needs to complete commands and options.

import { EXIT, usageError } from "../errors.ts";
import { OPTION_GROUPS, type OptionRow } from "../fetch/option-tables.ts";
import { print } from "../output/streams.ts";

const HELP = `Usage: meanwhile completion bash|zsh|fish

Prints a script that completes the commands and options of meanwhile:
  bash   source <(meanwhile completion bash)
  zsh    source <(meanwhile completion zsh)
  fish   meanwhile completion fish | source
`;

const COMMANDS = ["completion", "fetch", "run", "tour"];
const RUN_OPTIONS = ["--report", "--packages", "--no-instrument", "--no-cache", "--debug", "--help", "--version"];
/** What stands for a value that is the name of a file. */
const FILES: ReadonlySet<string | undefined> = new Set(["FILE", "DIR"]);

const SHELLS: Readonly<Record<string, () => string>> = { bash: bashScript, fish: fishScript, zsh: zshScript };

/**
 * Runs `meanwhile completion`.
 *
 * Cancellation: not noticed; nothing is waited for.
 */
export async function runCompletion(args: readonly string[]): Promise<number> {
  const [shell = "", ...rest] = args;
  if (shell === "--help" || shell === "-h") {
    print(HELP);
    return EXIT.ok;
  }
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined || rest.length > 0) throw usageError("completion needs one shell: bash, fish or zsh");
  print(script());
  return EXIT.ok;
}

/** All options of `fetch` with their rows. */
function options(): Array<[name: string, row: OptionRow]> {
  return OPTION_GROUPS.flatMap(([, rows]) => Object.entries(rows));
}

function choicesOf({ value }: OptionRow): string[] {
  return value?.includes("|") === true ? value.split("|") : [];
}

function formsOf([name, { short }]: readonly [string, OptionRow]): string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}

function bashScript(): string {
  const cases = options().flatMap((option) => {
    const [, row] = option;
    const reply = bashReply(row);
    return reply === undefined ? [] : [`    ${formsOf(option).join("|")}) ${reply}; return ;;`];
  });
  return `# bash completion of meanwhile
_meanwhile() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${COMMANDS.join(" ")} --help --version" -- "$current"))
    return
  fi
  case $command in
    completion) COMPREPLY=($(compgen -W "${Object.keys(SHELLS).join(" ")}" -- "$current")); return ;;
    run)
      if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "${RUN_OPTIONS.join(" ")}" -- "$current")); return; fi
      COMPREPLY=($(compgen -f -- "$current"))
      return ;;
    fetch) ;;
    *) return ;;
  esac
  case $previous in
${cases.join("\n")}
  esac
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "${options()
      .map(([name]) => `--${name}`)
      .join(" ")}" -- "$current"))
  fi
}
complete -o filenames -F _meanwhile meanwhile
`;
}

/** What completes the value of an option; undefined if it has none. */
function bashReply(row: OptionRow): string | undefined {
  const choices = choicesOf(row);
  if (choices.length > 0) return `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current"))`;
  if (row.value === "DIR") return 'COMPREPLY=($(compgen -d -- "$current"))';
  if (FILES.has(row.value)) return 'COMPREPLY=($(compgen -f -- "$current"))';
  return row.type === "string" ? ":" : undefined;
}

function zshScript(): string {
  const specs = options().map((option) => {
    const [, row] = option;
    const forms = formsOf(option);
    const first = forms.length === 1 ? (forms[0] ?? "") : `{${forms.join(",")}}`;
    const repeat = row.multiple === true ? "*" : "";
    return `    ${repeat === "" ? "" : "'*'"}${first}${quoted(`[${zshText(row.help)}]${zshAction(row)}`)} \\`;
  });
  return `#compdef meanwhile
_meanwhile() {
  if (( CURRENT == 2 )); then
    compadd ${COMMANDS.join(" ")}
    return
  fi
  case $words[2] in
    completion) compadd ${Object.keys(SHELLS).join(" ")}; return ;;
    run) compadd -- ${RUN_OPTIONS.join(" ")}; _files; return ;;
    fetch) ;;
    *) return ;;
  esac
  _arguments -s \\
${specs.join("\n")}
    '*:URL:_urls'
}
compdef _meanwhile meanwhile
`;
}

function zshAction(row: OptionRow): string {
  const choices = choicesOf(row);
  if (choices.length > 0) return `:value:(${choices.join(" ")})`;
  if (row.value === "DIR") return ":directory:_files -/";
  if (FILES.has(row.value)) return ":file:_files";
  return row.type === "string" ? ":value: " : "";
}

function zshText(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&");
}

function fishScript(): string {
  const base = "complete -c meanwhile";
  const lines = options().map(([name, row]) => {
    const short = row.short === undefined ? "" : ` -s ${row.short}`;
    return `${base} -n '__fish_seen_subcommand_from fetch' -l ${name}${short}${fishAction(row)} -d ${quoted(row.help)}`;
  });
  return `# fish completion of meanwhile
${base} -f
${base} -n __fish_use_subcommand -a ${quoted(COMMANDS.join(" "))}
${base} -n '__fish_seen_subcommand_from completion' -a ${quoted(Object.keys(SHELLS).join(" "))}
${base} -n '__fish_seen_subcommand_from run' -F -a ${quoted(RUN_OPTIONS.join(" "))}
${lines.join("\n")}
`;
}

function fishAction(row: OptionRow): string {
  const choices = choicesOf(row);
  if (choices.length > 0) return ` -x -a ${quoted(choices.join(" "))}`;
  if (FILES.has(row.value)) return " -r -F";
  return row.type === "string" ? " -x" : "";
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
