// `meanwhile trace`: what the tasks of a program do for a while, as a file for a trace viewer.

import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

import { cancellable, race, shield } from "meanwhile";
import { ChromeTrace, type ListedProgram, parseMessage, type StreamMessage } from "meanwhile/diagnostics";
import { joinSignalHandling } from "meanwhile/lowlevel";

import { CommandError, EXIT, startError, usageError } from "../errors.ts";
import { choose, read } from "../fetch/read-options.ts";
import { plural } from "../output/format.ts";
import { printError } from "../output/streams.ts";
import { askStream } from "./ask.ts";
import { TRACE_OPTIONS } from "./option-tables.ts";
import { onlyArgument, readArguments } from "./read-arguments.ts";
import { runCommand } from "./run-command.ts";
import { findProgram, isFile } from "./target.ts";
import { openOutput, type TraceOutput } from "./trace-output.ts";

const FORMATS = ["chrome", "recording"] as const;
const MOST_SECONDS = 3_600;

interface TraceOptions {
  readonly target: string;
  readonly output: string;
  readonly seconds: number;
  readonly past: boolean;
  readonly format: (typeof FORMATS)[number];
}

/**
 * Runs `meanwhile trace`.
 *
 * Cancellation: gives the file up. SIGINT and SIGTERM end the recording, and the file is complete.
 */
export async function runTrace(args: readonly string[]): Promise<number> {
  const options = parseTrace(args);
  return options === EXIT.ok ? EXIT.ok : runCommand("trace", () => trace(options), { handleSignals: false });
}

function parseTrace(args: readonly string[]): TraceOptions | typeof EXIT.ok {
  const parsed = readArguments("trace", args, TRACE_OPTIONS);
  if (parsed === EXIT.ok) return parsed;
  const { output, seconds, past, format } = parsed.values;
  const target = onlyArgument("trace", parsed.positionals, "the PID of a program, or a recording");
  if (output === undefined) throw usageError("trace needs a file to write: -o trace.json");
  return {
    target,
    output,
    seconds: read("--seconds", seconds, secondsOf, `a number of seconds from 0.1 to ${MOST_SECONDS}`),
    past,
    format: choose("--format", format, FORMATS),
  };
}

function secondsOf(text: string): number | undefined {
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  return seconds >= 0.1 && seconds <= MOST_SECONDS ? seconds : undefined;
}

async function trace(options: TraceOptions): Promise<number> {
  const { target, format } = options;
  const isRecording = isFile(target);
  const messages = isRecording ? recordedIn(target) : toldBy(findProgram(target), options);
  const output = openOutput(options.output);
  const writing = { output, chrome: format === "chrome" ? new ChromeTrace() : null, events: 0, gaps: 0, isCut: false };
  try {
    await race([() => writeAllOf(messages, writing), untilStopped]);
    if (writing.chrome !== null) await output.write(writing.chrome.end());
    await output.finish();
    const lost = writing.gaps === 0 ? "" : `; events were lost ${plural(writing.gaps, "time")}`;
    const cut = writing.isCut && !isRecording ? `; ${target} has ended, and this is what it had told by then` : "";
    printError(`meanwhile trace: ${plural(writing.events, "event")} in ${output.name}${lost}${cut}\n`);
    return EXIT.ok;
  } finally {
    output.discard();
  }
}

/** Resolves at the first signal: what there is by then is the trace. */
async function untilStopped(): Promise<void> {
  const stopped = Promise.withResolvers<void>();
  using _signals = joinSignalHandling(() => stopped.resolve());
  await cancellable(stopped.promise);
}

function toldBy(program: ListedProgram, { seconds, past }: TraceOptions): AsyncIterable<StreamMessage> {
  if (!past) printError(`meanwhile trace: recording for ${seconds} s; Ctrl-C ends it early\n`);
  return askStream(program, `/v1/trace?seconds=${seconds}${past ? "" : "&follow=1"}`);
}

async function* recordedIn(path: string): AsyncGenerator<StreamMessage> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Infinity });
  let isFirst = true;
  try {
    for await (const line of lines) {
      const message = understood(path, line);
      if (isFirst && message?.type !== "hello") throw new CommandError(EXIT.notStarted, `"${path}" is not a recording`);
      isFirst = false;
      if (message !== null) yield message;
    }
  } catch (error) {
    throw error instanceof CommandError ? error : startError(`cannot read "${path}"`, error);
  }
  if (isFirst) throw new CommandError(EXIT.notStarted, `"${path}" is not a recording: it is empty`);
}

function understood(path: string, line: string): StreamMessage | null {
  try {
    return parseMessage(line);
  } catch (error) {
    throw startError(`cannot read "${path}"`, error);
  }
}

interface Writing {
  readonly output: TraceOutput;
  /** Null for the recording itself. */
  readonly chrome: ChromeTrace | null;
  events: number;
  gaps: number;
  /** Whether there was no farewell at the end. */
  isCut: boolean;
}

async function writeAllOf(messages: AsyncIterable<StreamMessage>, writing: Writing): Promise<void> {
  const { output, chrome } = writing;
  let last = "";
  for await (const message of messages) {
    last = message.type;
    if (message.type === "events") writing.events += message.events.length;
    if (message.type === "gap") writing.gaps += 1;
    const text = chrome === null ? `${JSON.stringify(message)}\n` : chrome.add(message);
    // Stopped, it goes on with the end: half a line must not be left.
    await shield(() => output.write(text));
  }
  writing.isCut = last !== "bye";
}
