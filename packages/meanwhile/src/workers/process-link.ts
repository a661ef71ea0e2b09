// Workers that are processes.

import { type ChildProcess, fork } from "node:child_process";
import { closeSync } from "node:fs";

import { captureContext } from "../lowlevel.ts";
import { entryUrl } from "./entry-url.ts";
import { inheritedExecArgv } from "./exec-argv.ts";
import { FileLedger } from "./file-ledger.ts";
import type { LinkListener, StartWorker, WorkerLink } from "./link.ts";
import type { WorkerSetup } from "./wire.ts";

/** How processes are started. */
export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly execArgv?: readonly string[] | undefined;
}

const outside = captureContext();

/** Starts processes with these options. */
export function processStarter(options: ProcessOptions): StartWorker {
  return (setup, listener) => outside(() => startProcess(setup, listener, options));
}

function startProcess(setup: WorkerSetup, listener: LinkListener, options: ProcessOptions): WorkerLink {
  const { env, execArgv = inheritedExecArgv() ?? undefined } = options;
  const { ledger, forChild } = FileLedger.open();
  const child = fork(entryUrl("entry", import.meta.url), {
    serialization: "advanced",
    // The last one is where the child finds its ledger.
    stdio: ["ignore", "inherit", "inherit", "ipc", forChild],
    ...(env === undefined ? {} : { env }),
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
  });
  if (!("bun" in process.versions)) closeSync(forChild);
  child.on("message", (message) => listener.received(message as unknown[]));
  whenEnded(child, (exitCode, signal, error) => {
    listener.ended({ exitCode, signal, error });
    ledger.close();
  });
  child.send(setup);
  child.unref();
  const channel: { unref?(): void } = child.channel ?? {};
  channel.unref?.(); // not in Bun, where it does not keep the process
  return {
    ledger,
    // An error of the channel is the end of the child, which is told of apart.
    post: (message) => void child.send(message, ignore),
    kill: () => void child.kill("SIGKILL"),
  };
}

type Ended = (exitCode: number | null, signal: string | null, error: unknown) => void;

/** Calls back when the process has ended and its channel was read to the end; the events come in any order. */
function whenEnded(child: ChildProcess, ended: Ended): void {
  let exit: [exitCode: number | null, signal: string | null] | null = null;
  let isConnected = true;
  let isTold = false;
  let failure: unknown;
  const check = (): void => {
    if (exit === null || isConnected || isTold) return;
    isTold = true;
    ended(...exit, failure);
  };
  child.on("exit", (exitCode, signal) => {
    exit = [exitCode, signal];
    // Whether its event comes before this one, after it, or was before anybody listened.
    isConnected &&= child.connected;
    check();
  });
  child.on("disconnect", () => {
    isConnected = false;
    check();
  });
  // It could not be started at all: no other event comes.
  child.on("error", (error) => {
    failure = error;
    if (child.pid === undefined) ended(null, null, error);
  });
}

function ignore(): void {}
