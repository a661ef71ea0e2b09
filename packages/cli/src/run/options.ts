// The command line of `meanwhile run`: ours up to the file, the program's after it.

import { usageError } from "../errors.ts";
import { readAllowed } from "../inspect/page-options.ts";

/** What `meanwhile run` is told. */
export interface RunOptions {
  /** The program, as it was given. */
  readonly file: string;
  /** What stands after it. */
  readonly args: readonly string[];
  /** Whether its code is instrumented. */
  readonly instrument: boolean;
  /** Whether it tells at the end where it waited. */
  readonly report: boolean;
  /** Packages under `node_modules` that are instrumented too. */
  readonly packages: readonly string[];
  /** Whether transformed files are kept on disk. */
  readonly cache: boolean;
  /** Whether the program can be asked, and its event loop is watched. */
  readonly diagnostics: boolean;
  /** The file that what happens is recorded to; null for none. */
  readonly record: string | null;
  /** Whether a page shows what the program does. */
  readonly inspect: boolean;
  /** What that page, and whoever else asks the program, may do beyond looking. */
  readonly allow: ReturnType<typeof readAllowed>;
  /** Whether the run is in debug mode. */
  readonly debug: boolean;
}

type Draft = { -readonly [Name in keyof RunOptions]: RunOptions[Name] };

const DEFAULTS: RunOptions = {
  file: "",
  args: [],
  instrument: true,
  report: false,
  packages: [],
  cache: true,
  diagnostics: true,
  record: null,
  inspect: false,
  allow: [],
  debug: false,
};

/** Reads the command line; what is asked for instead of a run, if that is the case. */
export function parseRunOptions(args: readonly string[]): RunOptions | "help" | "version" {
  const draft: Draft = { ...DEFAULTS };
  const rest = [...args];
  for (let option = rest.shift(); option !== undefined; option = rest.shift()) {
    if (option === "--help" || option === "-h") return "help";
    if (option === "--version" || option === "-V") return "version";
    const file = option === "--" ? rest.shift() : option;
    if (file !== undefined && (option === "--" || !option.startsWith("-")))
      return checked({ ...draft, file, args: rest });
    if (option !== "--") readOption(draft, option, rest);
  }
  throw usageError("run needs a file: meanwhile run [options] app.ts [arguments]");
}

function checked(options: RunOptions): RunOptions {
  const { record, inspect, allow, diagnostics } = options;
  const asksForMore = Object.entries({ record: record !== null, inspect, allow: allow.length > 0 });
  for (const [name] of asksForMore.filter(([, isGiven]) => isGiven && !diagnostics)) {
    throw usageError(`--${name} needs diagnostics: leave out --no-diagnostics`);
  }
  if (!options.report || options.instrument) return options;
  throw usageError("--report needs instrumented code: leave out --no-instrument");
}

function readOption(draft: Draft, option: string, rest: string[]): void {
  const [name, value] = option.split("=", 2);
  if (name === "--packages") draft.packages = [...draft.packages, ...namesIn(value ?? rest.shift())];
  else if (name === "--record") draft.record = fileIn(value ?? rest.shift());
  else if (name === "--allow") draft.allow = readAllowed(value ?? rest.shift() ?? "");
  else if (value !== undefined) throw unknown(option);
  else if (name === "--inspect") draft.inspect = true;
  else if (name === "--no-instrument") draft.instrument = false;
  else if (name === "--no-diagnostics") draft.diagnostics = false;
  else if (name === "--report") draft.report = true;
  else if (name === "--no-cache") draft.cache = false;
  else if (name === "--debug") draft.debug = true;
  else throw unknown(option);
}

function fileIn(path: string | undefined): string {
  if (path === undefined || path === "") throw usageError("--record needs a file, like --record run.jsonl");
  return path;
}

function namesIn(list: string | undefined): string[] {
  const names = (list ?? "").split(",").map((name) => name.trim());
  if (names.includes("") || list === undefined) {
    throw usageError("--packages needs names of packages, like --packages p-map,@acme/*");
  }
  return names;
}

function unknown(option: string): Error {
  return usageError(`unknown option ${option} before the file; options of Node itself go into NODE_OPTIONS`);
}
