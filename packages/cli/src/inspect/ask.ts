// Asks a program over its socket.

import { type IncomingMessage, request } from "node:http";

import { cancellable, timeout, TimeoutError } from "meanwhile";
import { type Hello, type ListedProgram, parseMessage, type Snapshot, type StreamMessage } from "meanwhile/diagnostics";

import { CommandError, EXIT, startError, systemCodeOf } from "../errors.ts";
import { cannotBeAsked, isRunning, nameOf } from "./target.ts";

/** How long an answer may take. It comes from a thread that nothing blocks. */
const ANSWER_MS = 10_000;
/** A longer answer is not one of a program of ours. */
const MOST_BYTES = 512 * 1024 * 1024;

/**
 * The program and its state.
 *
 * Cancellation: safe.
 *
 * @throws {@link CommandError} with exit code 3 if it does not answer
 */
export async function askState(program: ListedProgram, query = ""): Promise<{ hello: Hello; snapshot: Snapshot }> {
  return inTime(program, async () => {
    const hello = await askOne(program, "/v1/hello");
    const snapshot = await askOne(program, `/v1/snapshot${query}`);
    if (hello.type === "hello" && snapshot.type === "snapshot") return { hello, snapshot };
    throw notUnderstood(program);
  });
}

/**
 * Which program it is.
 *
 * Cancellation: safe.
 *
 * @throws {@link CommandError} with exit code 3 if it does not answer
 */
export async function askHello(program: ListedProgram): Promise<Hello> {
  const hello = await inTime(program, () => askOne(program, "/v1/hello"));
  if (hello.type === "hello") return hello;
  throw notUnderstood(program);
}

/**
 * The messages of a stream, until it or the program ends; the first one is there within 10 s.
 *
 * Cancellation: ends it, and the connection.
 *
 * @throws {@link CommandError} with exit code 3 if the program does not answer
 */
export async function* askStream(program: ListedProgram, path: string): AsyncGenerator<StreamMessage> {
  const answer = await inTime(program, () => connect(program, path));
  if (answer.statusCode !== 200) throw await refused(program, answer);
  // The start of a line, which may be of many megabytes: put together once, when its end is there.
  const rest: string[] = [];
  for await (const text of chunksOf(program, answer)) {
    const lines = text.split("\n");
    const last = lines.pop() ?? "";
    for (const line of lines) {
      const message = understood(program, rest.splice(0).join("") + line);
      if (message !== null) yield message;
    }
    if (last !== "") rest.push(last);
  }
}

async function askOne(program: ListedProgram, path: string): Promise<StreamMessage> {
  const answer = await connect(program, path);
  if (answer.statusCode !== 200) throw await refused(program, answer);
  const message = understood(program, await textOf(program, answer));
  if (message === null) throw notUnderstood(program);
  return message;
}

async function inTime<T>(program: ListedProgram, ask: () => Promise<T>): Promise<T> {
  try {
    return await timeout(ANSWER_MS, ask);
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    const text = `${nameOf(program)} has not answered for ${ANSWER_MS / 1_000} s; it may be stopped`;
    throw new CommandError(EXIT.notStarted, text, { cause: error });
  }
}

async function connect(program: ListedProgram, path: string): Promise<IncomingMessage> {
  try {
    return await cancellable(
      (signal) =>
        new Promise<IncomingMessage>((resolve, reject) => {
          const options = { socketPath: program.socket, path, signal, agent: false, headers: { host: "meanwhile" } };
          request(options, resolve).once("error", reject).end();
        }),
    );
  } catch (error) {
    throw failureOf(program, error);
  }
}

async function* chunksOf(program: ListedProgram, answer: IncomingMessage): AsyncGenerator<string> {
  answer.setEncoding("utf8");
  const chunks = answer[Symbol.asyncIterator]() as AsyncIterator<string>;
  try {
    for (;;) {
      const { done, value } = await cancellable(chunks.next());
      if (done === true) return;
      yield value;
    }
  } catch (error) {
    // The program has ended: there is no more to come.
    if (systemCodeOf(error) !== "ECONNRESET") throw failureOf(program, error);
  } finally {
    answer.destroy();
  }
}

async function textOf(program: ListedProgram, answer: IncomingMessage): Promise<string> {
  const chunks: string[] = [];
  let length = 0;
  for await (const chunk of chunksOf(program, answer)) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MOST_BYTES) throw notUnderstood(program);
  }
  if (!answer.complete) throw cutOff(program);
  return chunks.join("");
}

function understood(program: ListedProgram, line: string): StreamMessage | null {
  try {
    return parseMessage(line);
  } catch (error) {
    throw startError(`cannot ask ${nameOf(program)}`, error);
  }
}

async function refused(program: ListedProgram, answer: IncomingMessage): Promise<CommandError> {
  const text = await textOf(program, answer);
  const [, reason = `it answered with the status ${answer.statusCode}`] =
    /"error":"((?:[^"\\]|\\.)*)"/.exec(text) ?? [];
  return new CommandError(EXIT.notStarted, `${nameOf(program)} refuses: ${JSON.parse(`"${reason}"`)}`);
}

function notUnderstood(program: ListedProgram): CommandError {
  return new CommandError(EXIT.notStarted, `${nameOf(program)} gives an answer that cannot be understood`);
}

/** The program has ended, or wants no more connections. */
function cutOff(program: ListedProgram): CommandError {
  const why = isRunning(program.pid)
    ? "runs, and has closed the connection: too many may be asking it at once; end some of them and try again"
    : "has ended";
  return new CommandError(EXIT.notStarted, `${nameOf(program)} ${why}`);
}

function failureOf(program: ListedProgram, error: unknown): unknown {
  if (error instanceof CommandError) return error;
  const code = systemCodeOf(error);
  if (code === "ECONNREFUSED" || code === "ENOENT") return cannotBeAsked(nameOf(program), program.pid);
  if (code === undefined) return error;
  if (code === "ECONNRESET" || code === "EPIPE") return cutOff(program);
  return startError(`cannot ask ${nameOf(program)}`, error);
}
