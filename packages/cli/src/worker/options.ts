// The command line of `meanwhile worker`.

import { basename, extname } from "node:path";
import { parseArgs } from "node:util";

import { usageError } from "../errors.ts";
import { FETCH_QUEUE } from "../fetch/far/queue.ts";
import { clusterSecret } from "../fetch/far/secret.ts";
import { parseBytes } from "../fetch/quantities.ts";

/** What `meanwhile worker` is told. */
export interface WorkerOptions {
  /** The module, as it was given; null for the one that makes the requests of `meanwhile fetch`. */
  readonly file: string | null;
  readonly url: string;
  readonly queue: string;
  readonly secret: string | undefined;
  readonly concurrency: number | undefined;
  readonly threads: number | undefined;
  readonly processes: boolean;
  readonly functions: readonly string[] | undefined;
  readonly lostAfterMs: number | undefined;
  readonly maxPayloadBytes: number | undefined;
  readonly maxResultBytes: number | undefined;
  readonly maxLosses: number | undefined;
  readonly drainMs: number;
  /** Whether clients can see what their jobs wait for here, and who asks this process what it does. */
  readonly diagnostics: boolean;
}

const OPTIONS = {
  connect: { type: "string" },
  queue: { type: "string" },
  concurrency: { type: "string" },
  threads: { type: "string" },
  processes: { type: "boolean", default: false },
  function: { type: "string", multiple: true },
  "lost-after": { type: "string" },
  "max-payload": { type: "string" },
  "max-result": { type: "string" },
  "max-losses": { type: "string" },
  fetch: { type: "boolean", default: false },
  drain: { type: "string", default: "30" },
  diagnostics: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
  version: { type: "boolean", short: "V", default: false },
} as const;

/** Reads the command line; what is asked for instead of a worker, if that is the case. */
export function parseWorkerOptions(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): WorkerOptions | "help" | "version" {
  const { values, positionals } = parse(args);
  if (values.help) return "help";
  if (values.version) return "version";
  const file = fileOf(positionals, values.fetch);
  return {
    file,
    url: urlOf(values.connect ?? env["MEANWHILE_CLUSTER_URL"]),
    queue: values.queue ?? (file === null ? FETCH_QUEUE : basename(file, extname(file))),
    secret: clusterSecret(env),
    concurrency: count("concurrency", values.concurrency),
    threads: count("threads", values.threads),
    processes: values.processes,
    functions: values.function,
    lostAfterMs: values["lost-after"] === undefined ? undefined : seconds("lost-after", values["lost-after"], 1),
    maxPayloadBytes: size("max-payload", values["max-payload"]),
    maxResultBytes: size("max-result", values["max-result"]),
    maxLosses: count("max-losses", values["max-losses"], 0),
    drainMs: seconds("drain", values.drain, 0),
    diagnostics: values.diagnostics,
  };
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw usageError(`${message.split(". ")[0]}; see meanwhile worker --help`);
  }
}

function fileOf([file, ...more]: readonly string[], isFetch: boolean): string | null {
  if (isFetch && file === undefined) return null;
  if (isFetch) throw usageError("worker --fetch serves no other module: leave it out");
  // Not shown: it may be the one that belongs behind --connect, with a password in it.
  if (file?.includes("://") === true)
    throw usageError("worker needs a file, not a URL; that of the queue follows --connect");
  if (file !== undefined && more.length === 0) return file;
  throw usageError("worker needs one module: meanwhile worker --connect URL [options] module.ts");
}

function urlOf(text: string | undefined): string {
  if (text === undefined || text === "")
    throw usageError(
      "worker needs --connect URL, or MEANWHILE_CLUSTER_URL: where the queue is, like redis://127.0.0.1",
    );
  // Not the URL itself: there may be a password in it.
  if (!/^(rediss?|postgres(ql)?):/.test(text))
    throw usageError("--connect needs a URL with redis:, rediss:, postgres: or postgresql:");
  return text;
}

function count(name: string, text: string | undefined, least = 1): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}$/.test(text) && Number(text) >= least) return Number(text);
  throw usageError(`--${name} needs an integer from ${least}, not ${text}`);
}

function size(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseBytes(text);
  if (bytes !== undefined && bytes >= 1) return bytes;
  throw usageError(`--${name} needs a size like 500kB or 10MiB, not ${text}`);
}

function seconds(name: string, text: string, least: number): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (value >= least) return value * 1_000;
  throw usageError(`--${name} needs seconds from ${least}, not ${text}`);
}
