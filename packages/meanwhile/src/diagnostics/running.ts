// Diagnostics that are on: the recorder in this thread, the worker, and what goes to and fro between them.

import { resolve } from "node:path";
import { threadId } from "node:worker_threads";

import { UsageError, warn } from "../errors.ts";
import { activeRunners, addInstrument, currentScopeNode, noteDiagnostics } from "../lowlevel.ts";
import { Answers, NOTHING } from "./answers.ts";
import { publishBlock, publishTasks, publishWarning } from "./channels.ts";
import { CURRENT_TASK, type FromWorker, type ToldRemote, type WorkerSetup } from "./link.ts";
import type { DecidedOptions } from "./options.ts";
import type { Program, Snapshot } from "./protocol.ts";
import { Recorder } from "./recorder.ts";
import { tellRemotes } from "./remotes.ts";
import { makeMemory, type SharedMemory, WORD } from "./shared-memory.ts";
import { removeSocketAt, socketPathOf } from "./socket-path.ts";
import { WorkerThread } from "./worker-thread.ts";
import { machineMs } from "./worker/clock.ts";

const { performance } = globalThis;

/** Diagnostics that are on. Disposing them switches them off. */
export interface Diagnostics extends Disposable, AsyncDisposable {
  /** Resolves when they are on, or have ended before that: with the path of the socket, or null if there is none. */
  readonly ready: Promise<string | null>;
  /**
   * The state now, as `/v1/snapshot` has it, with stacks and ended tasks.
   *
   * Cancellation: reaches nothing, it takes milliseconds.
   *
   * @throws {@link UsageError} `MW_ERR_DIAGNOSTICS_OVER` if diagnostics have ended
   */
  snapshot(): Promise<Snapshot>;
}

/** Diagnostics from their start to their end. */
export class RunningDiagnostics implements Diagnostics {
  readonly #ready = Promise.withResolvers<string | null>();
  readonly #resources = new DisposableStack();
  readonly #recorder: Recorder | null;
  readonly #answers: Answers | null;
  readonly #worker: WorkerThread;
  readonly #asked = new Map<number, PromiseWithResolvers<Snapshot>>();
  readonly #onEnd: (ended: RunningDiagnostics) => void;
  #asks = 0;
  #isOver = false;

  /**
   * @param onEnd - told when they have ended, in whatever way
   * @param loaderTasks - how many tasks there are before the program is loaded
   */
  constructor(options: DecidedOptions, onEnd: (ended: RunningDiagnostics) => void, loaderTasks: number) {
    this.#onEnd = onEnd;
    const { level, sampling, stackSampling, capacities } = options;
    const memory = makeMemory(capacities);
    const socket = options.socket ? socketPathOf(process.pid, threadId) : null;
    const setup = setupOf(options, memory, socket);
    this.#worker = new WorkerThread(memory, setup, {
      message: (message) => this.#receive(message),
      lost: (why) => this.#lost(why),
    });
    this.#recorder =
      level === 0
        ? null
        : new Recorder(memory, {
            level,
            sampling,
            stackSampling,
            onStack: (id, stack) => this.#worker.send({ kind: "stack", id, stack }),
          });
    this.#answers =
      this.#recorder === null
        ? null
        : new Answers(this.#recorder, {
            send: (message) => this.#worker.send(message),
            allow: options.allow,
          });
    this.#listen(memory, socket, loaderTasks);
    if (options.record !== null) this.#finishAtExit();
  }

  #listen(memory: SharedMemory, socket: string | null, loaderTasks: number): void {
    if (this.#recorder !== null) {
      this.#recorder.start();
      this.#resources.use(this.#recorder);
      this.#resources.use(publishTasks());
    }
    this.#resources.use(noteStart(memory, loaderTasks));
    noteDiagnostics(true);
    this.#resources.defer(() => noteDiagnostics(false));
    const forgotten = (warning: Error & { code?: string; detail?: string }): void => {
      if (warning.code !== "MW_WARN_NEVER_AWAITED") return;
      this.#worker.send({ kind: "forgotten", message: warning.message, detail: warning.detail ?? "" });
    };
    process.on("warning", forgotten);
    this.#resources.defer(() => process.off("warning", forgotten));
    const removeSocket = (): void => {
      if (socket !== null) removeSocketAt(socket);
    };
    process.on("exit", removeSocket);
    this.#resources.defer(() => process.off("exit", removeSocket));
    this.#resources.defer(removeSocket);
    const globals = globalThis as { [key: symbol]: unknown };
    globals[Symbol.for(CURRENT_TASK)] = currentTaskText;
    this.#resources.defer(() => delete globals[Symbol.for(CURRENT_TASK)]);
  }

  #finishAtExit(): void {
    const finish = (): void => this.#worker.finish();
    process.on("exit", finish);
    this.#resources.defer(() => process.off("exit", finish));
  }

  get ready(): Promise<string | null> {
    return this.#worker.hold(this.#ready.promise);
  }

  snapshot(): Promise<Snapshot> {
    const asked = Promise.withResolvers<Snapshot>();
    if (this.#isOver) asked.reject(haveEnded());
    else {
      this.#asked.set((this.#asks += 1), asked);
      this.#worker.send({ kind: "fetch", ask: this.#asks, what: "snapshot" });
    }
    return this.#worker.hold(asked.promise);
  }

  #receive(message: Exclude<FromWorker, number>): void {
    if (message.kind === "block") publishBlock(message.block);
    else if (message.kind === "warning") publishWarning(message.warning);
    else if (message.kind === "ask") {
      const answer = this.#answers?.answer(message.question) ?? NOTHING;
      this.#worker.send({ kind: "answer", ask: message.ask, answer });
    } else if (message.kind === "askRemotes") this.#tellRemotes(message.ask, message.ids);
    else if (message.kind === "reply") {
      this.#asked.get(message.ask)?.resolve(JSON.parse(message.text) as Snapshot);
      this.#asked.delete(message.ask);
    } else if (message.kind === "problem") warn("MW_WARN_DIAGNOSTICS", message.problem);
    else {
      if (message.problem !== null)
        warn(
          "MW_WARN_DIAGNOSTICS",
          `Cannot listen for questions: ${message.problem}; the program cannot be asked from outside`,
        );
      this.#ready.resolve(message.socket);
    }
  }

  #tellRemotes(ask: number, ids: readonly number[]): void {
    const send = (remotes: readonly ToldRemote[]): void => {
      if (!this.#isOver) this.#worker.send({ kind: "remotes", ask, remotes });
    };
    if (this.#recorder === null) send([]);
    else tellRemotes(this.#recorder, ids).then(send, () => send([]));
  }

  #lost(why: string): void {
    if (this.#isOver) return;
    this.#end();
    warn("MW_WARN_DIAGNOSTICS", `Diagnostics have ended by themselves: ${why}; the program goes on without them`);
  }

  #end(): void {
    this.#isOver = true;
    this.#onEnd(this);
    this.#resources.dispose();
    this.#ready.resolve(null);
    for (const { reject } of this.#asked.values()) reject(haveEnded());
    this.#asked.clear();
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return;
    this.#worker.stop();
    this.#end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#worker.ended();
  }
}

/** Notes the first task there is, or the first wait, of the program itself. */
function noteStart({ header }: SharedMemory, loaderTasks: number): Disposable {
  let left = loaderTasks;
  const started = (): void => {
    header[WORD.started] = 1;
    listening[Symbol.dispose]();
  };
  const listening = addInstrument({
    taskCreated: () => {
      if (left === 0) started();
      else left -= 1;
    },
    suspended: ({ scope }) => {
      if (scope?.task !== null) started();
    },
  });
  if (activeRunners.size > 0) started();
  return listening;
}

function haveEnded(): UsageError {
  return new UsageError("MW_ERR_DIAGNOSTICS_OVER", "Cannot ask diagnostics: they have ended; start them again");
}

function setupOf(options: DecidedOptions, memory: SharedMemory, socket: string | null): WorkerSetup {
  const { level, sampling, capacities, blockedAfterMs, report, allow, record, limits } = options;
  return {
    buffer: memory.buffer,
    capacities,
    program: describeProgram(),
    level,
    sampling,
    clockOrigin: machineMs() - performance.now(),
    blockedAfterMs,
    reports: report,
    socket,
    allow,
    record: record === null ? null : resolve(record),
    limits,
    thread: threadId,
  };
}

function describeProgram(): Program {
  const { pid, version, argv } = process;
  return { pid, script: argv[1] ?? "", node: version, timeOriginMs: performance.timeOrigin };
}

/** Called by the inspector while this thread is paused: it must not change anything. */
function currentTaskText(): string | null {
  const { task } = currentScopeNode();
  return task === null ? null : `${task.id} ${task.name}`;
}
