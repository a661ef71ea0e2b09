// Workers that are threads.

import { MessageChannel, type ResourceLimits, type WorkerOptions } from "node:worker_threads";

import { captureContext } from "../lowlevel.ts";
import { entryUrl } from "./entry-url.ts";
import { refuseGone } from "./gone-values.ts";
import { SharedLedger } from "./ledger.ts";
import type { LinkListener, StartWorker, WorkerLink } from "./link.ts";
import { newThread } from "./new-thread.ts";
import { PortReader } from "./port-reader.ts";
import type { WorkerSetup } from "./wire.ts";

/** How threads are started. */
export interface ThreadOptions {
  readonly resourceLimits?: ResourceLimits | undefined;
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly execArgv?: readonly string[] | undefined;
}

// A worker lives longer than the call that needed it first, so it must not belong to the scope of that call.
const outside = captureContext();

/** Starts threads with these options. */
export function threadStarter(options: ThreadOptions): StartWorker {
  return (setup, listener) => outside(() => startThread(setup, listener, options));
}

function startThread(setup: WorkerSetup, listener: LinkListener, options: ThreadOptions): WorkerLink {
  refuseGone(setup);
  const ledger = new SharedLedger();
  const { port1: port, port2 } = new MessageChannel();
  const worker = newThread(entryUrl("entry", import.meta.url), {
    name: setup.name,
    workerData: { setup, port: port2, memory: ledger.memory },
    transferList: [port2],
    ...given(options),
  });
  let thrown: unknown;
  const messages = new PortReader(port);
  messages.listen(listener);
  worker.on("error", (error) => (thrown = error));
  worker.on("exit", (exitCode) => {
    messages.drain(listener);
    port.close();
    listener.ended({ exitCode, signal: null, error: thrown });
  });
  // Whether there is something to wait for is known to the pool.
  port.unref();
  worker.unref();
  return {
    ledger,
    place: { pid: process.pid, thread: worker.threadId },
    post(message, transfer) {
      refuseGone(message);
      port.postMessage(message, transfer as ArrayBuffer[]);
      ledger.announce();
    },
    kill: () => void worker.terminate(),
  };
}

function given({ resourceLimits, env, execArgv }: ThreadOptions): WorkerOptions {
  return {
    ...(resourceLimits === undefined ? {} : { resourceLimits }),
    ...(env === undefined ? {} : { env }),
    ...(execArgv === undefined ? {} : { execArgv: [...execArgv] }),
  };
}
