// Reads the command lines of the commands that ask programs.

import { parseArgs } from "node:util";

import { EXIT, usageError } from "../errors.ts";
import type { OptionRow } from "../fetch/option-tables.ts";
import { print } from "../output/streams.ts";
import { readVersion } from "../version.ts";
import { helpOf } from "./help.ts";

type Table = Readonly<Record<string, OptionRow>>;
type Config<T extends Table> = { options: T; allowPositionals: true; args: string[] };

/** What a command line says. */
export type Arguments<T extends Table> = ReturnType<typeof parseArgs<Config<T>>>;

/**
 * The command line by this table; an exit code if what it asks for, help or version, was printed.
 *
 * @throws {@link CommandError} with exit code 2
 */
export function readArguments<T extends Table>(
  command: string,
  args: readonly string[],
  options: T,
): Arguments<T> | typeof EXIT.ok {
  const parsed = parse(command, args, options);
  const values: Readonly<Record<string, unknown>> = parsed.values;
  if (values["help"] === true) print(helpOf(command));
  else if (values["version"] === true) print(`${readVersion()}\n`);
  else return parsed;
  return EXIT.ok;
}

/** The only argument that is no option. */
export function onlyArgument(command: string, positionals: readonly string[], what: string): string {
  const [argument, ...rest] = positionals;
  if (argument !== undefined && rest.length === 0) return argument;
  throw usageError(`${command} needs ${what}: see meanwhile ${command} --help`);
}

function parse<T extends Table>(command: string, args: readonly string[], options: T): Arguments<T> {
  try {
    return parseArgs<Config<T>>({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    // The first sentence says what is wrong; the rest explains parseArgs.
    const text = error instanceof Error ? error.message : String(error);
    throw usageError(`${text.replace(/\.? To specify[^]*|\.?\n[^]*/, "")}; see meanwhile ${command} --help`);
  }
}
