// `meanwhile fetch`: puts the parts together and says how it ended.

import { CancelledError, run, taskGroup, unwrapSingle } from "meanwhile";
import { type HandledSignal, joinSignalHandling } from "meanwhile/lowlevel";

import { CommandError, EXIT } from "../errors.ts";
import { print, printError } from "../output/streams.ts";
import { readVersion } from "../version.ts";
import type { AttemptOptions } from "./attempt.ts";
import { BodyPrinter } from "./body-printer.ts";
import { Brakes } from "./brakes.ts";
import { printPlan } from "./dry-run.ts";
import { checkFar } from "./far/check.ts";
import type { FarAttempts } from "./far/far-attempts.ts";
import { Fetcher } from "./fetcher.ts";
import { Directory } from "./files.ts";
import { fetchHelp } from "./help.ts";
import { loadCookies, saveCookies } from "./network-options.ts";
import { type FetchOptions, isForBody, parseOptions } from "./options.ts";
import { Outputs } from "./outputs.ts";
import { resolveProgress, showProgress } from "./progress.ts";
import { openSession } from "./run-session.ts";
import { Saver } from "./saver.ts";
import { Statistics } from "./statistics.ts";
import { howToContinue, renderSummary, renderStopping } from "./summary.ts";
import { openSources } from "./targets.ts";
import { warningsOf } from "./warnings.ts";

/** How long a run that was stopped waits for a reader that does not read. */
const READER_MS = 2_000;
const SIGNAL_CODES: Readonly<Record<HandledSignal, number>> = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated };

/**
 * Runs `meanwhile fetch`.
 *
 * Cancellation: gives up what runs; records and summary are written. SIGINT and SIGTERM end it in order, and give requests
 * that run `--grace` to end.
 */
export async function runFetch(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === "help") print(fetchHelp());
  else if (options === "version") print(`${readVersion()}\n`);
  // A signal does not cancel it: it stops, see stopBySignals().
  else return run(() => fetchAll(options), { name: "fetch", handleSignals: false });
  return EXIT.ok;
}

async function fetchAll(options: FetchOptions): Promise<number> {
  checkFar(options);
  if (options.print !== undefined) return printPlan(options, await openSources(options.sources));
  if (!options.quiet) printError(warningsOf(options));
  const saver = await openSaver(options);
  const sources = await openSources(options.sources);
  const statistics = new Statistics();
  const cookies = await loadCookies(options.network);
  await using session = openSession(options, cookies);
  const outputs = new Outputs(options, statistics);
  const printer = isForBody(options) ? new BodyPrinter(process.stdout.isTTY) : undefined;
  const { plan, body, sha256, checksum } = options;
  const brakes = new Brakes(options);
  const attempts = { plan, saver, body, sha256, checksum, limits: options, brakes, printer };
  const { journal, ledger, trace } = outputs;
  const parts = { options, sources, attempts: { ...attempts, session }, journal, ledger, trace, statistics };
  // Loaded only for those who use it: starting is part of the work.
  const far = await openFar(options, brakes);
  await using _far = far;
  const exitCode = await fetchAndReport(new Fetcher({ ...parts, far }), { options, outputs, statistics });
  await saveCookies(options.network, cookies);
  return exitCode;
}

async function openFar(options: FetchOptions, brakes: Brakes): Promise<FarAttempts | undefined> {
  if (options.cluster === undefined) return undefined;
  const { FarAttempts: Attempts } = await import("./far/far-attempts.ts");
  return Attempts.open(options, brakes);
}

async function openSaver({ files }: FetchOptions): Promise<AttemptOptions["saver"]> {
  if (files === undefined) return undefined;
  const { directory, existing, fsync } = files;
  return new Saver(await Directory.open(directory, { overwrite: existing === "overwrite", fsync }), files);
}

interface Parts {
  readonly options: FetchOptions;
  readonly outputs: Outputs;
  readonly statistics: Statistics;
}

/** Returns the exit code. */
async function fetchAndReport(fetcher: Fetcher, { options, outputs, statistics }: Parts): Promise<number> {
  let stoppedBy: string | undefined;
  try {
    using _signals = stopBySignals(fetcher, { options, statistics });
    await outputs.begin();
    await fetchAndShow(fetcher, { options, outputs, statistics });
    stoppedBy = fetcher.stopped?.by;
  } catch (error) {
    const problem = unwrapSingle(error);
    if (problem instanceof CommandError) {
      if (problem.exitCode === EXIT.brokenPipe) return EXIT.brokenPipe;
      stoppedBy = "an error";
    } else stoppedBy = problem instanceof CancelledError ? String(problem.reason) : "a defect";
    throw problem;
  } finally {
    await outputs.end();
    if (!options.quiet && !isForBody(options) && !outputs.writer.isBroken) {
      printError(renderSummary(statistics, { stoppedBy }));
      if (stoppedBy !== undefined) printError(howToContinue(options, statistics));
    }
  }
  const { stopped } = fetcher;
  if (stopped?.message !== undefined) throw new CommandError(stopped.exitCode, stopped.message);
  return stopped?.exitCode ?? (statistics.failed === 0 ? EXIT.ok : EXIT.failed);
}

function stopBySignals(fetcher: Fetcher, { options, statistics }: Pick<Parts, "options" | "statistics">): Disposable {
  return joinSignalHandling((signal) => {
    const { graceMs, quiet } = options;
    if (!quiet && graceMs > 0 && statistics.running > 0) printError(renderStopping(statistics, graceMs));
    fetcher.stop({ by: signal, exitCode: SIGNAL_CODES[signal], graceMs });
  });
}

async function fetchAndShow(fetcher: Fetcher, { options, outputs, statistics }: Parts): Promise<void> {
  const { trace, writer } = outputs;
  await taskGroup(async (group) => {
    group.createTask(() => writer.run(), { name: "writer of the records" });
    const tracing = trace && group.createTask(() => trace.run(), { name: "writer of the trace" });
    const progress = group.createTask(
      () => (options.quiet ? undefined : showProgress(resolveProgress(options.progress), statistics)),
      { name: "progress" },
    );
    await fetcher.run();
    progress.cancel("everything is fetched");
    tracing?.cancel("everything is fetched");
    if (fetcher.stopped !== undefined) writer.giveUpAfter(READER_MS);
    writer.close();
  });
}
