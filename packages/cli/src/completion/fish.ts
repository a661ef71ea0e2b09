// The completion of fish.

import { COMMANDS, COMMON_OPTIONS, type CompletedOption, fetchOptions, PLAIN_COMMANDS } from "./options.ts";
import { quoted } from "./quoted.ts";

/** @param shells - what `meanwhile completion` takes */
export function fishScript(shells: readonly string[]): string {
  const options = (command: string, names: readonly string[]): string[] =>
    names.map((name) => `${BASE} ${within(command)} -l ${name.slice(2)}`);
  const lines = [
    `${BASE} -f`,
    ...COMMANDS.map(([name, summary]) => `${BASE} ${within("")} -a ${name} -d ${quoted(summary)}`),
    ...options("", COMMON_OPTIONS),
    `${BASE} ${within("completion")} -a ${quoted(shells.join(" "))}`,
    ...options("completion", ["--help"]),
    ...PLAIN_COMMANDS.flatMap((command) => [
      ...(command.takesFiles ? [`${BASE} ${within(command.name)} -F`] : []),
      ...options(command.name, command.options),
    ]),
    ...fetchOptions().map((option) => `${BASE} ${within("fetch")} ${specOf(option)}`),
  ];
  return `# fish completion of meanwhile
${COMMAND_IS}
${lines.join("\n")}
`;
}

const BASE = "complete -c meanwhile";

// Not __fish_seen_subcommand_from: an argument may be called like a command.
const COMMAND_IS = `function __meanwhile_command_is
  set -l words (commandline -opc)
  test "$words[2]" = "$argv[1]"
end`;

/** The condition that the command is this one; empty for none yet. */
function within(command: string): string {
  return `-n ${quoted(`__meanwhile_command_is "${command}"`)}`;
}

function specOf({ name, short, help, value }: CompletedOption): string {
  const forms = short === undefined ? `-l ${name}` : `-l ${name} -s ${short}`;
  const description = `-d ${quoted(help)}`;
  if (value.kind === "none") return `${forms} ${description}`;
  if (value.kind === "choice") return `${forms} -x -a ${quoted(value.choices.join(" "))} ${description}`;
  if (value.kind === "file") return `${forms} -r -F ${description}`;
  if (value.kind === "directory") return `${forms} -x -a '(__fish_complete_directories)' ${description}`;
  return `${forms} -x ${description}`;
}
