// What there is to complete, for all shells: the commands, and the options of `fetch` with what their values are.

import { OPTION_GROUPS, type OptionRow } from "../fetch/option-tables.ts";
import { INSPECT_OPTIONS } from "../inspect/option-tables.ts";

/** The commands, with what the shell says of them. */
export const COMMANDS: ReadonlyArray<readonly [name: string, summary: string]> = [
  ["completion", "the completion of a shell"],
  ["fetch", "fetch many URLs under limits"],
  ["inspect", "see the tasks of a program in a browser"],
  ["ps", "see the tasks of a running program"],
  ["pstree", "see them as a tree"],
  ["run", "run a program whose every await can be cancelled"],
  ["top", "see them change"],
  ["tour", "see the runtime at work"],
  ["trace", "record them for a trace viewer"],
  ["worker", "serve the functions of a module to other machines"],
];

/** Of `meanwhile` itself, and of commands that have no others. */
export const COMMON_OPTIONS: readonly string[] = ["--help", "--version"];

/** What `meanwhile run` takes before the file of the program. */
const RUN_OPTIONS: readonly string[] = [
  "--report",
  "--record",
  "--inspect",
  "--allow",
  "--packages",
  "--no-instrument",
  "--no-cache",
  "--no-diagnostics",
  "--debug",
  ...COMMON_OPTIONS,
];

/** What `meanwhile worker` takes. */
const WORKER_OPTIONS: readonly string[] = [
  "--connect",
  "--queue",
  "--concurrency",
  "--threads",
  "--processes",
  "--function",
  "--fetch",
  "--max-payload",
  "--max-result",
  "--max-losses",
  "--lost-after",
  "--drain",
  "--diagnostics",
  ...COMMON_OPTIONS,
];

/** What `meanwhile tour` takes. */
const TOUR_OPTIONS: readonly string[] = ["--inspect", "--help"];

/** A command that takes only names of options and, if it is one that reads them, files. */
export interface PlainCommand {
  readonly name: string;
  readonly options: readonly string[];
  readonly takesFiles: boolean;
}

/** Those that ask programs, and `run`. */
export const PLAIN_COMMANDS: readonly PlainCommand[] = [
  ...Object.entries(INSPECT_OPTIONS).map(([name, rows]) => ({
    name,
    options: Object.keys(rows).map((option) => `--${option}`),
    takesFiles: name === "trace" || name === "inspect",
  })),
  { name: "run", options: RUN_OPTIONS, takesFiles: true },
  { name: "tour", options: TOUR_OPTIONS, takesFiles: false },
  { name: "worker", options: WORKER_OPTIONS, takesFiles: true },
];

/** An option as a shell sees it. */
export interface CompletedOption {
  readonly name: string;
  readonly short: string | undefined;
  readonly help: string;
  readonly isRepeatable: boolean;
  readonly value: OptionValue;
}

/** What an option is followed by. `label` is what the help calls it. */
export type OptionValue =
  | { readonly kind: "none" }
  | { readonly kind: "choice"; readonly choices: readonly string[]; readonly label: string }
  | { readonly kind: "file" | "directory" | "text"; readonly label: string };

/** All options of `fetch`, in the order of its help. */
export function fetchOptions(): CompletedOption[] {
  return OPTION_GROUPS.flatMap(([, rows]) => Object.entries(rows)).map(([name, row]) => ({
    name,
    short: row.short,
    help: row.help,
    isRepeatable: row.multiple === true,
    value: valueOf(row),
  }));
}

function valueOf({ type, value: label = "value" }: OptionRow): OptionValue {
  if (type === "boolean") return { kind: "none" };
  if (label.includes("|")) return { kind: "choice", choices: label.split("|"), label: "value" };
  if (label === "DIR") return { kind: "directory", label };
  return { kind: label === "FILE" ? "file" : "text", label };
}

/** The forms of an option, like `-o` and `--output`. */
export function formsOf({ name, short }: CompletedOption): string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`];
}
