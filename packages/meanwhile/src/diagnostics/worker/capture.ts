// What a blocked thread is doing: pauses it with the inspector, reads the stack, lets it go on. Opens no port.

import type { Debugger, Runtime } from "node:inspector";

import { CURRENT_TASK } from "../link.ts";
import type { Place } from "../protocol.ts";
import { type InspectedThread, inspectThread } from "./inspected-thread.ts";
import { SourceMaps } from "./source-maps.ts";
import { framesOfProgram, isOfLoading, loads } from "./stack-places.ts";

/** What was found. */
export interface Capture {
  /** The places of the program; none if nothing of it runs. */
  readonly stack: readonly Place[];
  /** The running function of Node, like `execSync`, if one is. */
  readonly inside: string | null;
  readonly task: { readonly id: number; readonly name: string } | null;
  /** Whether it is code of the program that runs, and not Node that loads it. */
  readonly isProgram: boolean;
  /** Whether the program is being loaded, and not by code of its own. */
  readonly isLoading: boolean;
}

/** Why nothing was found: a debugger has stopped the program, it went on by itself, the inspector cannot be used. */
export type NoCapture = "debugger" | "over" | "failed";

const CURRENT_TASK_CALL = `globalThis[Symbol.for(${JSON.stringify(CURRENT_TASK)})]?.()`;

/** How many frames are kept. */
const MOST_FRAMES = 32;

/** How long the rest may take once the thread is paused. */
const PAUSE_MS = 1_000;

type Paused = Debugger.PausedEventDataType;

/** One look at a thread. */
export class ThreadCapture {
  readonly #thread: number;
  readonly #maps = new SourceMaps();
  readonly #paused = Promise.withResolvers<Paused | "debugger">();
  #inspected: InspectedThread | null = null;
  #isEnabled = false;

  /** @param thread - its number; 0 is the main thread */
  constructor(thread: number) {
    this.#thread = thread;
  }

  /** Looks once. `whenOver` resolves when the thread has gone on: then there is nothing to see. */
  async take(whenOver: Promise<void>): Promise<Capture | NoCapture> {
    // Nothing else holds this thread while the other one is silent.
    const held = setInterval(() => {}, 1_000);
    try {
      const over = whenOver.then(() => "over" as const);
      const connected = inspectThread(this.#thread, (method, params) => this.#told(method, params));
      const inspected = await Promise.race([connected, over]);
      if (inspected === "over") {
        // One that comes too late is let go.
        void connected.then((late) => late.leave());
        return inspected;
      }
      this.#inspected = inspected;
      return await this.#pauseAndRead(over);
    } catch {
      return "failed";
    } finally {
      this.#leave();
      clearInterval(held);
    }
  }

  #told(method: string, params: never): void {
    if (method === "Debugger.scriptParsed") this.#maps.add(params);
    // Told before the answer to our first order: it was paused when we came, by somebody who debugs it. It is theirs to
    // resume.
    else if (method === "Debugger.paused") {
      this.#paused.resolve(this.#isEnabled && isOfOurs(params) ? params : "debugger");
    }
  }

  async #pauseAndRead(over: Promise<"over">): Promise<Capture | NoCapture> {
    this.#order("Debugger.enable", () => (this.#isEnabled = true));
    // Not only when that is answered: native code takes both orders when it returns, and then its caller has to be there.
    this.#order("Debugger.pause");
    const found = await Promise.race([this.#paused.promise, over]);
    if (typeof found === "string") return found;
    const { callFrames } = found;
    const urls = callFrames.map((frame) => this.#urlOf(frame));
    const indices = framesOfProgram(urls);
    const theirs = indices.flatMap((index) => callFrames[index] ?? []);
    // Without these it is still worth telling.
    const known = Promise.all([this.#currentTask(), this.#callAt(theirs[0])]);
    const [task, call] = await Promise.race([known, unknownAfter(PAUSE_MS)]).catch(() => [null, null] as const);
    this.#order("Debugger.resume");
    const stack = theirs.slice(0, MOST_FRAMES).map((frame) => this.#maps.placeOf(frame));
    const isProgram = theirs.length > 0 && !urls.slice(0, indices[0]).some((url) => loads(url));
    const isLoading = theirs.length === 0 && urls.some((url) => isOfLoading(url));
    return { stack, task, inside: outermostOfNode(callFrames) ?? call, isProgram, isLoading };
  }

  // In the global scope: what stands in the paused function may have other meanings there.
  async #currentTask(): Promise<Capture["task"]> {
    const { result } = await this.#post<Runtime.EvaluateReturnType>("Runtime.evaluate", {
      expression: CURRENT_TASK_CALL,
      returnByValue: true,
      silent: true,
    });
    if (typeof result.value !== "string") return null;
    const [id = "", ...name] = result.value.split(" ");
    return { id: Number(id), name: name.join(" ") };
  }

  #urlOf({ url, location }: Debugger.CallFrame): string {
    return url === "" ? this.#maps.urlOf(location.scriptId) : url;
  }

  // Native code is seen when it has returned: then the line tells what it was, or the one before.
  async #callAt(frame: Debugger.CallFrame | undefined): Promise<string | null> {
    if (frame === undefined) return null;
    const { scriptId, lineNumber } = frame.location;
    const { scriptSource } = await this.#post<Debugger.GetScriptSourceReturnType>("Debugger.getScriptSource", {
      scriptId,
    });
    const lines = scriptSource
      .split("\n", lineNumber + 1)
      .slice(-2)
      .toReversed();
    return lines.map((line) => BLOCKING_CALL.exec(line)?.[1] ?? null).find((call) => call !== null) ?? null;
  }

  #post<T>(method: string, params: object = {}): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#inspected?.send(method, params, (error, result) => {
      if (error === null) resolve(result as T);
      else reject(error);
    });
    return promise;
  }

  // Without waiting for the answer, which may be that the session was closed.
  #order(method: string, onAnswer: () => void = () => {}): void {
    this.#inspected?.send(method, {}, onAnswer);
  }

  #leave(): void {
    if (this.#inspected === null) return;
    try {
      // Takes back a pause that has not come, and lets go on what we have paused.
      this.#order("Debugger.disable");
      this.#inspected.leave();
    } catch {
      // the thread has ended
    }
  }
}

/** Whether it is the pause that we asked for. */
function isOfOurs({ reason, hitBreakpoints }: Paused): boolean {
  return reason === "other" && (hitBreakpoints === undefined || hitBreakpoints.length === 0);
}

/** What is made to block. */
const BLOCKING_CALL = /\b(\w+Sync|Atomics\.wait|JSON\.(?:parse|stringify)|structuredClone)\s*\(/u;

/** The function of Node that the program has called and that runs; null if its own code does. */
function outermostOfNode(frames: readonly Debugger.CallFrame[]): string | null {
  const end = frames.findIndex(({ url }) => !url.startsWith("node:"));
  const called = frames.slice(0, end === -1 ? frames.length : end).at(-1);
  return called === undefined || called.functionName === "" ? null : called.functionName;
}

function unknownAfter(ms: number): Promise<readonly [null, null]> {
  return new Promise((resolve) => {
    setTimeout(() => resolve([null, null]), ms).unref();
  });
}
