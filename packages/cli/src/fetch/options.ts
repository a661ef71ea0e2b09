// The options of `meanwhile fetch`: what may be said, what it means, what is refused.

import { parseArgs } from "node:util";

import { usageError } from "../errors.ts";
import { type FileOptions, readFileOptions } from "./file-options.ts";
import { expandGlob } from "./glob.ts";
import { type IoOptions, readIoOptions } from "./io-options.ts";
import { type Limits, readLimits } from "./limits.ts";
import { type NetworkOptions, readNetworkOptions } from "./network-options.ts";
import { choose, CONFIG, type Parsed, type Values } from "./read-options.ts";
import { readRequestPlan, type RequestPlan } from "./request-plan.ts";

/** Where URLs come from. */
export type Source =
  | { readonly kind: "argument"; readonly text: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "stdin" };

export type BodyStyle = "none" | "text" | "base64";
export type ProgressStyle = "auto" | "bar" | "plain" | "json" | "none";

/** Everything a run of `meanwhile fetch` is told. */
export interface FetchOptions extends Limits, IoOptions {
  readonly sources: readonly Source[];
  /** What every request has that its line does not say otherwise. */
  readonly plan: RequestPlan;
  readonly network: NetworkOptions;
  /** Where bodies are saved; undefined if they are not. */
  readonly files: FileOptions | undefined;
  readonly body: BodyStyle;
  /** Whether records have the SHA-256 of the body. */
  readonly sha256: boolean;
  /** What the body of the only URL must have. */
  readonly checksum: string | undefined;
  /** The queue of workers that make the requests; undefined if they are made here. */
  readonly cluster: string | undefined;
  readonly progress: ProgressStyle;
  readonly quiet: boolean;
  /** What is printed instead of fetching anything. */
  readonly print: "plan" | "curl" | undefined;
}

const BODY_STYLES: readonly BodyStyle[] = ["none", "text", "base64"];
const PROGRESS_STYLES: readonly ProgressStyle[] = ["auto", "bar", "plain", "json", "none"];
const CHECKSUM = /^sha256:([0-9a-f]{64})$/i;

/**
 * Reads the arguments after `fetch`.
 *
 * @returns the options, or the other thing that was asked for
 * @throws {@link CommandError} with exit code 2 for anything that cannot be meant, with 3 for a file that an option names
 * and that cannot be read
 */
export function parseOptions(args: readonly string[]): FetchOptions | "help" | "version" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  if (values.version) return "version";
  const sources = readSources(values, positionals);
  const body = choose("--body", values.body, BODY_STYLES);
  if (body !== "none" && values.output !== undefined) throw usageError("use either -o DIR or --body, not both");
  return {
    sources,
    ...readLimits(values),
    ...readIoOptions(values),
    plan: readRequestPlan(values, process.env),
    network: readNetworkOptions(values),
    files: readFileOptions(values),
    body,
    sha256: values.sha256,
    checksum: readChecksum(values.checksum, sources),
    cluster: readCluster(values),
    progress: choose("--progress", values.progress, PROGRESS_STYLES),
    quiet: values.quiet,
    print: readPrint(values),
  };
}

function readCluster({ cluster }: Values): string | undefined {
  // Not the URL itself: there may be a password in it.
  if (cluster !== undefined && !/^(rediss?|postgres(ql)?):/.test(cluster))
    throw usageError("--cluster needs a URL with redis:, rediss:, postgres: or postgresql:");
  return cluster;
}

/** Whether the body of the only URL is what is wanted, and nothing about it. */
export function isForBody(options: FetchOptions): boolean {
  const { sources, files, body, format, fields, recordsFile, state, ordered, sha256, cluster } = options;
  const isRecordWanted = [format, fields, recordsFile, state, files, cluster].some((value) => value !== undefined);
  if (isRecordWanted || ordered || sha256 || body !== "none") return false;
  return sources.length === 1 && sources[0]?.kind === "argument";
}

function parse(args: readonly string[]): Parsed {
  try {
    return parseArgs({ args: [...args], options: CONFIG, allowPositionals: true });
  } catch (error) {
    // The first sentence says what is wrong; the rest explains parseArgs.
    const text = error instanceof Error ? error.message : String(error);
    throw usageError(`${text.replace(/\.? To specify[^]*|\.?\n[^]*/, "")}; see meanwhile fetch --help`);
  }
}

function readSources(values: Values, positionals: readonly string[]): Source[] {
  const texts = values.glob ? positionals.flatMap((text) => expandGlob(text)) : positionals;
  const sources = [...texts.map(argumentSource), ...(values.input ?? []).map(inputSource)];
  if (sources.length === 0) {
    throw usageError("no URL given; pass URLs, -i FILE, or - for stdin: see meanwhile fetch --help");
  }
  if (sources.filter(({ kind }) => kind === "stdin").length > 1) throw usageError("stdin (-) can be read only once");
  return sources;
}

function argumentSource(text: string): Source {
  return text === "-" ? { kind: "stdin" } : { kind: "argument", text };
}

function inputSource(path: string): Source {
  return path === "-" ? { kind: "stdin" } : { kind: "file", path };
}

function readChecksum(text: string | undefined, sources: readonly Source[]): string | undefined {
  if (text === undefined) return undefined;
  const [, hex] = CHECKSUM.exec(text) ?? [];
  if (hex === undefined) throw usageError(`--checksum "${text}" is not possible; pass sha256: and 64 hex digits`);
  if (sources.length === 1 && sources[0]?.kind === "argument") return hex.toLowerCase();
  throw usageError("--checksum is for one URL on the command line; in a JSONL list each line has its own");
}

function readPrint(values: Values): FetchOptions["print"] {
  if (values.curl && values["dry-run"]) throw usageError("use either --dry-run or --curl, not both");
  if (values.curl) return "curl";
  return values["dry-run"] ? "plan" : undefined;
}
