// The options of `meanwhile fetch`: what may be said, what it means, what is refused.

import { parseArgs, type ParseArgsOptionsConfig } from "node:util";

import { usageError } from "../errors.ts";
import { parseHeader, type Header } from "./headers.ts";
import { parseBytes, parseCount, parseDurationMs, parseRatePerSecond } from "./quantities.ts";

/** Where URLs come from. */
export type Source =
  | { readonly kind: "argument"; readonly text: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdin" };

export type BodyStyle = "none" | "text" | "base64";
export type ProgressStyle = "auto" | "bar" | "plain" | "none";

/** Everything a run of `meanwhile fetch` is told. Times in milliseconds; `Infinity` is no limit. */
export interface FetchOptions {
  readonly sources: readonly Source[];
  readonly concurrency: number;
  readonly perHost: number;
  /** Requests started per second. */
  readonly rate: number;
  readonly retries: number;
  /** Undefined if it was not said: then a body that is saved may take as long as bytes keep coming. */
  readonly timeoutMs: number | undefined;
  readonly connectMs: number;
  readonly idleMs: number;
  readonly maxBytes: number;
  readonly headers: readonly Header[];
  /** Where bodies are saved. */
  readonly directory: string | undefined;
  readonly body: BodyStyle;
  readonly progress: ProgressStyle;
  readonly quiet: boolean;
}

const CONFIG = {
  input: { type: "string", short: "i", multiple: true },
  concurrency: { type: "string", short: "c", default: "50" },
  "per-host": { type: "string", default: "6" },
  rate: { type: "string" },
  retries: { type: "string", default: "3" },
  timeout: { type: "string" },
  "connect-timeout": { type: "string", default: "10" },
  "idle-timeout": { type: "string", default: "15" },
  "max-size": { type: "string" },
  output: { type: "string", short: "o" },
  body: { type: "string", default: "none" },
  header: { type: "string", short: "H", multiple: true },
  progress: { type: "string", default: "auto" },
  quiet: { type: "boolean", short: "q", default: false },
  help: { type: "boolean", short: "h", default: false },
  version: { type: "boolean", short: "V", default: false },
} as const satisfies ParseArgsOptionsConfig;

const BODY_STYLES: readonly BodyStyle[] = ["none", "text", "base64"];
const PROGRESS_STYLES: readonly ProgressStyle[] = ["auto", "bar", "plain", "none"];
// A body in a record is held in memory until it is written; one in a file is not.
const MAX_INLINE_BYTES = "10MiB";
const MAX_FILE_BYTES = "1GiB";

/**
 * Reads the arguments after `fetch`.
 *
 * @returns the options, or the other thing that was asked for
 * @throws {@link CommandError} with exit code 2 for anything that cannot be meant
 */
export function parseOptions(args: readonly string[]): FetchOptions | "help" | "version" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  if (values.version) return "version";
  const sources = [...positionals.map(argumentSource), ...(values.input ?? []).map(inputSource)];
  if (sources.length === 0) {
    throw usageError("no URL given; pass URLs, -i FILE, or - for stdin: see meanwhile fetch --help");
  }
  if (sources.filter(({ kind }) => kind === "stdin").length > 1) throw usageError("stdin (-) can be read only once");
  const body = choose("--body", values.body, BODY_STYLES);
  if (body !== "none" && values.output !== undefined) throw usageError("use either -o DIR or --body, not both");
  if (values.output === "") throw usageError("-o needs the name of a directory");
  return {
    sources,
    concurrency: read("-c", values.concurrency, (text) => parseCount(text, 1), "a whole number >= 1"),
    perHost: read("--per-host", values["per-host"], (text) => parseCount(text, 1), "a whole number >= 1"),
    rate: values.rate === undefined ? Infinity : read("--rate", values.rate, parseRatePerSecond, "a rate like 20/s"),
    retries: read("--retries", values.retries, (text) => parseCount(text, 0), "a whole number >= 0"),
    timeoutMs: values.timeout === undefined ? undefined : readLimit("--timeout", values.timeout),
    connectMs: readLimit("--connect-timeout", values["connect-timeout"]),
    idleMs: readLimit("--idle-timeout", values["idle-timeout"]),
    maxBytes: readSize(values["max-size"] ?? (body === "none" ? MAX_FILE_BYTES : MAX_INLINE_BYTES)),
    headers: (values.header ?? []).map(parseHeader),
    directory: values.output,
    body,
    progress: choose("--progress", values.progress, PROGRESS_STYLES),
    quiet: values.quiet,
  };
}

type Parsed = ReturnType<typeof parseArgs<{ options: typeof CONFIG; allowPositionals: true; args: string[] }>>;

function parse(args: readonly string[]): Parsed {
  try {
    return parseArgs({ args: [...args], options: CONFIG, allowPositionals: true });
  } catch (error) {
    // The first sentence says what is wrong; the rest explains parseArgs.
    const text = error instanceof Error ? error.message : String(error);
    throw usageError(`${text.replace(/\.? To specify[^]*|\.?\n[^]*/, "")}; see meanwhile fetch --help`);
  }
}

function argumentSource(text: string): Source {
  return text === "-" ? { kind: "stdin" } : { kind: "argument", text };
}

function inputSource(path: string): Source {
  return path === "-" ? { kind: "stdin" } : { kind: "file", path };
}

function read<T>(option: string, text: string, parser: (text: string) => T | undefined, wanted: string): T {
  const value = parser(text);
  if (value === undefined) throw usageError(`${option} "${text}" is not possible; pass ${wanted}`);
  return value;
}

/** A time limit; 0 is no limit. */
function readLimit(option: string, text: string): number {
  const ms = read(option, text, parseDurationMs, "seconds, or a time like 500ms or 2m; 0 for no limit");
  return ms === 0 ? Infinity : ms;
}

function readSize(text: string): number {
  const bytes = read("--max-size", text, parseBytes, "a size like 500kB or 10MiB; 0 for no limit");
  return bytes === 0 ? Infinity : bytes;
}

function choose<T extends string>(option: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((known) => known === text);
  if (choice === undefined) throw usageError(`${option} "${text}" is not possible; pass ${choices.join(", ")}`);
  return choice;
}
