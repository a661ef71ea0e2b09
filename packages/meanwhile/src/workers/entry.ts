// What a worker runs, in a thread or in a process: it loads the module and serves its functions.

import { isMainThread, type MessagePort, workerData } from "node:worker_threads";

import { run } from "../lowlevel.ts";
import { allowBlocking } from "./blocking.ts";
import { ChildChannel } from "./child-channel.ts";
import { encodeError } from "./encode-error.ts";
import type { EngineConnection } from "./engine-jobs.ts";
import { Engine } from "./engine.ts";
import { WorkerError } from "./errors.ts";
import { FileLedger } from "./file-ledger.ts";
import { refuseGone } from "./gone-values.ts";
import { surroundBy } from "./inside.ts";
import type { ModuleFunctions } from "./known-function.ts";
import { SharedLedger } from "./ledger.ts";
import { type Inbox, PortReader } from "./port-reader.ts";
import { Replies } from "./replies.ts";
import * as wire from "./wire.ts";

/** Where a child finds its ledger. */
const LEDGER_FD = 4;

/** What the worker is connected by. */
interface Connection extends EngineConnection {
  readonly setup: wire.WorkerSetup;
  /** Called at the very end. */
  readonly leave: () => void;
  /** Starts to listen. */
  readonly listen: (inbox: Inbox) => void;
}

interface ThreadData {
  readonly setup: wire.WorkerSetup;
  readonly port: MessagePort;
  readonly memory: SharedArrayBuffer;
}

function connectThread({ setup, port, memory }: ThreadData): Connection {
  const ledger = new SharedLedger(memory);
  const messages = new PortReader(port);
  return {
    setup,
    ledger,
    post: (message, transfer) => {
      refuseGone(message);
      port.postMessage(message, transfer as ArrayBuffer[]);
    },
    leave: () => {},
    listen: (inbox) => messages.listen(inbox),
    lookOut: (inbox, ms) => {
      // The news may be of a message that came in as an event.
      while (ledger.waitForNews(ms)) if (messages.drain(inbox)) return;
    },
  };
}

async function connectProcess(): Promise<Connection> {
  const ledger = new FileLedger(LEDGER_FD);
  const channel = new ChildChannel(ledger);
  // Ctrl+C reaches the whole group: what is to happen is decided by the parent.
  process.on("SIGINT", () => {});
  process.on("uncaughtExceptionMonitor", (error) => channel.post([wire.LAST_WORDS, encodeError(error)]));
  process.on("disconnect", () => process.exit(0));
  const setup = (await channel.first()) as wire.WorkerSetup;
  return {
    setup,
    ledger,
    post: (message) => channel.post(message),
    leave: () => channel.leave(),
    listen: (inbox) => channel.listen(inbox),
    lookOut: () => {},
  };
}

async function load({ module, initializer }: wire.WorkerSetup): Promise<ModuleFunctions> {
  const exported = (await import(module)) as Record<string, unknown>;
  const functions = Object.keys(exported).flatMap((name) => {
    const value = exported[name];
    return typeof value === "function" ? [[name, value as (...args: unknown[]) => unknown] as const] : [];
  });
  if (initializer === null) return functions;
  const [, initialize] = functions.find(([name]) => name === initializer.name) ?? [];
  if (initialize === undefined) {
    throw new WorkerError(
      "MW_ERR_WORKER_UNKNOWN_FUNCTION",
      `Cannot call the initializer "${initializer.name}": the module exports no such function; it exports ${showNames(functions.map(([name]) => name))}`,
    );
  }
  await initialize(...initializer.args);
  return functions;
}

function showNames(names: readonly string[]): string {
  return names.length === 0 ? "no function" : names.join(", ");
}

async function serve(connection: Connection): Promise<void> {
  const { setup } = connection;
  const replies = new Replies(connection);
  allowBlocking();
  if (!isMainThread) takeOutput(replies);
  let functions: ModuleFunctions;
  try {
    functions = await load(setup);
  } catch (error) {
    replies.broken(error);
    return;
  }
  const engine = new Engine(connection, replies, setup.concurrency, functions);
  surroundBy(engine);
  process.on("exit", () => {
    replies.flush();
    connection.leave();
  });
  connection.listen(engine);
  await engine.serve();
}

// A thread's own streams go through the main thread on another way, so that what was logged before a result came after it.
function takeOutput(replies: Replies): void {
  for (const [stream, number] of [
    [process.stdout, 1],
    [process.stderr, 2],
  ] as const) {
    stream._write = (chunk, _encoding, callback) => {
      replies.output(number, chunk);
      callback();
    };
    Object.assign(stream, { _writev: null });
  }
}

const connection = isMainThread ? await connectProcess() : connectThread(workerData as ThreadData);
await run(() => serve(connection), { name: connection.setup.name, handleSignals: false });
// Whatever the module has left open: its job is done.
process.exit();
