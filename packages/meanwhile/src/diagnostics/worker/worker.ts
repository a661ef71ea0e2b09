// The diagnostics worker: watches a program, and answers for it while it is blocked. Nothing in here may reach the program
// but through the link; what fails in here ends this thread, and the program goes on.

import { writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

import type { FromWorker, ToWorker, WorkerSetup } from "../link.ts";
import { NUMBER, type SharedMemory, viewMemory, WORD } from "../shared-memory.ts";
import { ThreadCapture } from "./capture.ts";
import { programClock } from "./clock.ts";
import { LoopDelay } from "./loop-delay.ts";
import { Observer } from "./observer.ts";
import { printable } from "./printable.ts";
import { ProgramLink } from "./program.ts";
import { Recording } from "./recording.ts";
import { Remotes } from "./remotes.ts";
import { SharedReader } from "./shared-reader.ts";
import { WarningWatch } from "./warning-watch.ts";
import { Watchdog } from "./watchdog.ts";
import { taskThatRan } from "./who-ran.ts";

/** Without a watchdog the loop is asked this often, only to know whether it turns. */
const RELAXED_MS = 1_000;

/** How exact the time of states is at level 1. */
const COARSE_MS = 5;

const port = parentPort;
if (port !== null) void start(workerData as WorkerSetup, port);

async function start(setup: WorkerSetup, link: NonNullable<typeof parentPort>): Promise<void> {
  const send = (message: FromWorker): void => link.postMessage(message);
  const memory = viewMemory(setup.buffer, setup.capacities);
  const clock = programClock(setup.clockOrigin);
  const tellTime = (): void => {
    memory.numbers[NUMBER.coarseTime] = clock();
  };
  tellTime();
  setInterval(tellTime, COARSE_MS).unref();
  const delay = new LoopDelay();
  const program = new ProgramLink(send);
  const remotes = new Remotes(send, clock);
  const watchdog = new Watchdog({
    memory,
    clock,
    delay,
    thresholdMs: setup.blockedAfterMs ?? RELAXED_MS,
    ping: send,
    capture: async (whenOver) =>
      setup.blockedAfterMs === null ? "failed" : new ThreadCapture(setup.thread).take(whenOver),
    whoRan: (from, until) => (setup.level >= 2 && setup.sampling === 1 ? taskThatRan(memory, from, until) : null),
    onBlock: (block) => {
      observer.addBlock(block);
      send({ kind: "block", block });
    },
    onReport: (block) => {
      if (setup.reports && setup.blockedAfterMs !== null) report(block.message);
    },
  });
  const reader = new SharedReader(memory, clock);
  const observer = new Observer({ setup, clock, reader, memory, program, remotes, watchdog, delay });
  observer.listeners.add({ block: () => {}, warning: (warning) => send({ kind: "warning", warning }) });
  const warnings = setup.limits === null ? null : new WarningWatch(observer, setup.limits);
  const server = await listen(observer, setup.socket);
  const recording = record(observer, setup.record, (problem) => send({ kind: "problem", problem }));
  link.on("message", (message: ToWorker) => {
    program.receive(message);
    remotes.receive(message);
    if (message.kind === "forgotten") warnings?.addForgotten(message.message, message.detail);
    else if (message.kind === "fetch") {
      void observer.snapshot({ stacks: true, ended: true }).then((snapshot) => {
        send({ kind: "reply", ask: message.ask, text: JSON.stringify(snapshot) });
      });
    } else if (message.kind === "stop") {
      watchdog[Symbol.dispose]();
      warnings?.[Symbol.dispose]();
      server.server?.[Symbol.dispose]();
      void finish(recording, memory).then(() => link.close());
    }
  });
  send({ kind: "ready", socket: server.problem === null ? setup.socket : null, problem: server.problem });
}

function record(observer: Observer, path: string | null, onProblem: (problem: string) => void): Recording | null {
  if (path === null) return null;
  const recording = new Recording(observer, path, onProblem);
  void recording.start();
  return recording;
}

/** Whoever waits for it at the end of the process is let go. */
async function finish(recording: Recording | null, { header }: SharedMemory): Promise<void> {
  await recording?.end();
  Atomics.store(header, WORD.finished, 1);
  Atomics.notify(header, WORD.finished);
}

interface Listening {
  readonly server: Disposable | null;
  readonly problem: string | null;
}

async function listen(observer: Observer, path: string | null): Promise<Listening> {
  if (path === null) return { server: null, problem: null };
  try {
    const { SocketServer } = await import("./server.ts");
    const server = new SocketServer(observer);
    await server.listen(path);
    return { server, problem: null };
  } catch (error) {
    return { server: null, problem: String(error) };
  }
}

/** At once: what the console of a worker prints comes out when the loop of the main thread turns. */
function report(message: string): void {
  try {
    writeSync(2, `(meanwhile) ${printable(message)}\n`);
  } catch {
    // Nobody reads stderr, or it is full. The block is told on the socket all the same.
  }
}
