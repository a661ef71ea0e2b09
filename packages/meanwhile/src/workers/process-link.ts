// Workers that are processes.

import { type ChildProcess, fork } from "node:child_process";
import { closeSync } from "node:fs";

import { captureContext } from "../lowlevel.ts";
import { entryUrl } from "./entry-url.ts";
import { inheritedExecArgv } from "./exec-argv.ts";
import { FileLedger } from "./file-ledger.ts";
import type { LinkListener, StartWorker, WorkerLink } from "./link.ts";
import { endWithUs } from "./orphan-guard.ts";
import { readMessage, readValue, writeValue } from "./process-values.ts";
import { ENVELOPE, type Parcel, type WorkerSetup } from "./wire.ts";

/** How processes are started. */
export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly execArgv?: readonly string[] | undefined;
}

const { clearTimeout, setTimeout } = globalThis;

/** How long a child that has closed its channel may take to end, and the channel of one that has ended to be closed. */
const LEFT_ALONE_MS = 500;

const outside = captureContext();

/** Starts processes with these options. */
export function processStarter(options: ProcessOptions): StartWorker {
  return (setup, listener) => outside(() => startProcess(setup, listener, options));
}

function startProcess(setup: WorkerSetup, listener: LinkListener, options: ProcessOptions): WorkerLink {
  const { ledger, forChild } = FileLedger.open();
  const child = forkChild(options, forChild);
  if (!("bun" in process.versions)) closeSync(forChild);
  try {
    child.send(writeValue(setup));
  } catch (error) {
    abandon(child, ledger); // arguments of the initializer that cannot be cloned
    throw error;
  }
  listen(child, ledger, listener);
  child.unref();
  const channel: { unref?(): void } = child.channel ?? {};
  channel.unref?.(); // not in Bun, where it does not keep the process
  return {
    ledger,
    place: { pid: child.pid ?? 0, thread: 0 },
    post(message) {
      const slots = ledger.takeCarried();
      // An error of the channel is the end of the child, which is told of apart.
      child.send([slots, writeValue(message)], ignore);
    },
    kill: () => void child.kill("SIGKILL"),
  };
}

function forkChild(
  { env, execArgv = inheritedExecArgv() ?? undefined }: ProcessOptions,
  ledgerFd: number,
): ChildProcess {
  const child = fork(entryUrl("entry", import.meta.url), {
    serialization: "advanced",
    // The last one is where the child finds its ledger.
    stdio: ["ignore", "inherit", "inherit", "ipc", ledgerFd],
    ...(env === undefined ? {} : { env }),
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
  });
  endWithUs(child);
  return child;
}

function abandon(child: ChildProcess, ledger: FileLedger): void {
  child.on("error", ignore);
  child.once("exit", () => ledger.close());
  child.kill("SIGKILL");
}

function listen(child: ChildProcess, ledger: FileLedger, listener: LinkListener): void {
  let last = 0;
  const receive = ([number, slots, bytes]: Parcel): void => {
    if (number <= last) return;
    last = number;
    const message = readMessage(bytes);
    if (message !== null) listener.receive(message);
    else {
      ledger.noteUnreadable(slots, -number);
      listener.unreadable(number);
    }
  };
  child.on("message", (message) => {
    // The module may send messages of its own, which are nobody's.
    if (Array.isArray(message) && message[0] === ENVELOPE) receive(message.slice(1) as never);
  });
  whenEnded(child, (exitCode, signal, error) => {
    const left = ledger.left();
    if (left !== null) for (const message of readValue(left) as Parcel[]) receive(message);
    listener.ended({ exitCode, signal, error });
    ledger.close();
  });
}

type Ended = (exitCode: number | null, signal: string | null, error: unknown) => void;

/** Calls back when the process has ended and its channel was read to the end; the events come in any order. */
function whenEnded(child: ChildProcess, ended: Ended): void {
  let exit: [exitCode: number | null, signal: string | null] | null = null;
  let isConnected = true;
  let isTold = false;
  let failure: unknown;
  let deadline: ReturnType<typeof setTimeout> | undefined;
  const check = (): void => {
    if (exit === null || isConnected || isTold) return;
    isTold = true;
    clearTimeout(deadline);
    ended(...exit, failure);
  };
  child.on("exit", (exitCode, signal) => {
    clearTimeout(deadline);
    exit = [exitCode, signal];
    // Whether its event comes before this one, after it, or was before anybody listened.
    isConnected &&= child.connected;
    check();
    // A child of the child may hold the channel open.
    if (!isTold) deadline = setTimeout(() => child.disconnect(), LEFT_ALONE_MS).unref();
  });
  child.on("disconnect", () => {
    isConnected = false;
    check();
    // Nobody can reach it any more. As a rule it is just ending; if not, it never would.
    if (!isTold && exit === null) deadline = setTimeout(() => child.kill("SIGKILL"), LEFT_ALONE_MS).unref();
  });
  // It could not be started at all: no other event comes.
  child.on("error", (error) => {
    failure = error;
    if (child.pid === undefined) ended(null, null, error);
  });
}

function ignore(): void {}
