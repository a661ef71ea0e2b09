// `meanwhile fetch`: puts the parts together and says how it ended.

import { ClientSession } from "@meanwhile/http";
import { CancelledError, run, taskGroup, unwrapSingle } from "meanwhile";

import { CommandError, EXIT } from "../errors.ts";
import { LineWriter } from "../output/line-writer.ts";
import { print, printError } from "../output/streams.ts";
import { readVersion } from "../version.ts";
import { Fetcher } from "./fetcher.ts";
import { Directory } from "./files.ts";
import { FETCH_HELP } from "./help.ts";
import { type FetchOptions, parseOptions } from "./options.ts";
import { resolveProgress, showProgress } from "./progress.ts";
import { Statistics } from "./statistics.ts";
import { renderSummary } from "./summary.ts";
import { type OpenSource, openSources } from "./targets.ts";

const STDOUT = 1;
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Runs `meanwhile fetch`.
 *
 * Cancellation: by SIGINT and SIGTERM: the run ends in order, with records and summary.
 */
export async function runFetch(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === "help") print(FETCH_HELP);
  else if (options === "version") print(`${readVersion()}\n`);
  else return runToEnd(options);
  return EXIT.ok;
}

async function runToEnd(options: FetchOptions): Promise<number> {
  try {
    return await run(() => fetchAll(options), { name: "fetch" });
  } catch (error) {
    // Not isCancelled(): out here there is no scope any more whose cancellation it could be.
    if (error instanceof CancelledError) return error.reason === "SIGTERM" ? EXIT.terminated : EXIT.interrupted;
    throw error;
  }
}

async function fetchAll(options: FetchOptions): Promise<number> {
  const directory = options.directory === undefined ? undefined : await Directory.open(options.directory);
  const sources = await openSources(options.sources);
  const statistics = new Statistics();
  const writer = new LineWriter(STDOUT);
  let stoppedBy: string | undefined;
  try {
    await fetchAndShow(options, { directory, sources, statistics, writer });
  } catch (error) {
    const problem = unwrapSingle(error);
    if (problem instanceof CommandError) {
      if (problem.exitCode === EXIT.brokenPipe) return EXIT.brokenPipe;
      stoppedBy = "an error";
    } else stoppedBy = problem instanceof CancelledError ? String(problem.reason) : "a defect";
    throw problem;
  } finally {
    if (!writer.isBroken) await writer.flush();
    if (!options.quiet && !writer.isBroken) printError(renderSummary(statistics, { stoppedBy }));
  }
  return statistics.failed === 0 ? EXIT.ok : EXIT.failed;
}

interface Parts {
  readonly directory: Directory | undefined;
  readonly sources: readonly OpenSource[];
  readonly statistics: Statistics;
  readonly writer: LineWriter;
}

async function fetchAndShow(options: FetchOptions, parts: Parts): Promise<void> {
  const { directory, sources, statistics, writer } = parts;
  await taskGroup(async (group) => {
    group.createTask(() => writer.run(), { name: "writer of the records" });
    const progress = group.createTask(
      () => (options.quiet ? undefined : showProgress(resolveProgress(options.progress), statistics)),
      { name: "progress" },
    );
    await using session = openSession(options);
    const attempts = { session, directory, body: options.body, saveMs: options.timeoutMs ?? Infinity };
    await new Fetcher({ limits: options, attempts, writer, statistics }).run(sources);
    progress.cancel("everything is fetched");
    writer.close();
  });
}

function openSession(options: FetchOptions): ClientSession {
  const { concurrency, connectMs, idleMs, maxBytes, headers, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return new ClientSession({
    headers,
    limit: concurrency,
    timeouts: { totalMs: timeoutMs, connectMs, idleMs },
    maxBodyBytes: maxBytes,
    userAgent: `meanwhile/${readVersion()}`,
  });
}
