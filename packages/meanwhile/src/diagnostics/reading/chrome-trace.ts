// A recording as a trace for chrome://tracing and ui.perfetto.dev.

import type { Hello, Snapshot, StreamMessage, TaskEvent, TimeMs } from "../protocol.ts";
import { type Emit, ROWS, type TraceEvent, TraceEvents } from "./trace-events.ts";
import { LoopEvents } from "./trace-loop.ts";
import { StepSlices } from "./trace-steps.ts";
import { TaskSpans } from "./trace-tasks.ts";

/**
 * Turns a recording, message by message, into the text of a trace in Chrome's format, which Perfetto reads too: a row of
 * steps (which task ran), a row of blocks of the event loop, a span for each task with its waits in it, marks for
 * cancellations and warnings, and counters. Times are those of the program, from its start.
 *
 * What began before the trace, or goes on after it, is cut at its edge and says so in its arguments. Where events were lost
 * everything is cut, and begins anew.
 *
 * @see {@link https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU}
 *
 * @example
 * ```ts
 * import { ChromeTrace } from "meanwhile/diagnostics";
 *
 * const trace = new ChromeTrace();
 * const events = trace.add({ type: "events", events: [[1, 5, "created", 7, 0, "load"]] });
 * const text = events + trace.end();
 * console.log(JSON.parse(text).traceEvents.filter(({ ph }: { ph: string }) => ph === "b")[0].name); //> load
 * ```
 */
export class ChromeTrace {
  #parts: Parts | null = null;
  #hello: Hello | null = null;
  #text = "";
  #count = 0;
  // Where the trace, or what is known of it, begins.
  #edge: TimeMs | null = null;
  #lastMs: TimeMs = 0;
  #eventMs: TimeMs = 0;
  // A state that is told before events that it contains waits for those behind them.
  #told: Snapshot | null = null;

  /** Takes the next message, and returns what it adds to the text; often nothing. */
  add(message: StreamMessage): string {
    if (message.type === "hello") this.#hello ??= message;
    else this.#read(message, (this.#parts ??= this.#begin()));
    return this.#take();
  }

  /** Returns the rest of the text. Nothing more can be added. */
  end(): string {
    const parts = (this.#parts ??= this.#begin());
    const { tasks, steps, loop } = parts;
    this.#takeState(parts);
    tasks.cut(this.#lastMs);
    tasks.flush();
    steps.end(loop.blocks, (task) => tasks.nameOf(task));
    loop.end(this.#edge ?? 0);
    const { program, level, sampling } = this.#hello ?? {};
    const facts = { ...program, level, sampling };
    return `${this.#take()}\n],\n"displayTimeUnit":"ms",\n"otherData":${JSON.stringify(facts)}}\n`;
  }

  #begin(): Parts {
    const { program, sampling = 1 } = this.#hello ?? {};
    const emit: Emit = (event) => this.#write(event);
    const events = new TraceEvents(program?.pid ?? 1, emit);
    this.#text += `{"traceEvents":[`;
    events.name("process_name", ROWS.steps, program?.script.replace(/^.*[/\\]/su, "") ?? "meanwhile");
    events.name("thread_name", ROWS.steps, "steps of tasks");
    events.name("thread_name", ROWS.loop, "event loop blocked");
    return {
      tasks: new TaskSpans(events, emit),
      steps: new StepSlices(events, sampling !== 1),
      loop: new LoopEvents(events),
      events,
    };
  }

  #read(message: Exclude<StreamMessage, Hello>, parts: Parts): void {
    const { tasks, loop } = parts;
    if (message.type === "events") for (const event of message.events) this.#event(event, parts);
    else if (message.type === "snapshot") {
      this.#takeState(parts);
      this.#told = message;
    } else if (message.type === "delta") {
      this.#takeState(parts);
      this.#reach(message.atMs);
      loop.loop(message.atMs, message.loop, message.counts);
      for (const id of message.gone) tasks.gone(id, message.atMs);
    } else if (message.type === "block") loop.block(message.block);
    else if (message.type === "warning") {
      const { warning } = message;
      loop.warning(warning, this.#edge ?? this.#told?.atMs ?? warning.sinceMs);
    } else if (message.type === "gap") this.#lose(message, parts);
    else {
      this.#takeState(parts);
      this.#reach(message.atMs);
    }
  }

  #event(told: TaskEvent, parts: Parts): void {
    const { tasks, steps, loop } = parts;
    const [seq, toldMs, , task] = told;
    if (this.#told !== null && seq > this.#told.seq) this.#takeState(parts);
    // A state may be told as of a moment just after the events that follow it.
    const atMs = Math.max(toldMs, this.#edge ?? toldMs, this.#eventMs);
    this.#eventMs = atMs;
    const event = told.with(1, atMs) as unknown as TaskEvent;
    this.#reach(atMs);
    const before = tasks.nameOf(task);
    tasks.event(event, this.#edge ?? atMs);
    steps.event(event, before ?? tasks.nameOf(task));
    loop.count(atMs, tasks.live, tasks.waiting);
  }

  #takeState({ tasks, loop }: Parts): void {
    const snapshot = this.#told;
    if (snapshot === null) return;
    this.#told = null;
    const { atMs, blocks, warnings } = snapshot;
    this.#reach(atMs);
    const edge = this.#edge ?? atMs;
    tasks.snapshot(snapshot, edge);
    for (const block of blocks) if (block.startedAtMs + block.durationMs > edge) loop.block(block);
    for (const warning of warnings) if ((warning.overAtMs ?? Infinity) > edge) loop.warning(warning, edge);
    loop.count(atMs, tasks.live, tasks.waiting);
    loop.loop(atMs, snapshot.loop, snapshot.counts);
  }

  #lose(gap: Extract<StreamMessage, { type: "gap" }>, parts: Parts): void {
    this.#takeState(parts);
    const { tasks, steps, events } = parts;
    tasks.cut(this.#lastMs);
    steps.cut();
    events.instant(this.#lastMs, { name: `${gap.to - gap.from + 1} events are lost`, cat: "gap" });
    this.#edge = null;
  }

  #reach(atMs: TimeMs): void {
    // Not before what was cut there.
    this.#edge ??= Math.max(atMs, this.#lastMs);
    this.#lastMs = Math.max(this.#lastMs, atMs);
  }

  #write(event: TraceEvent): void {
    this.#text += `${this.#count === 0 ? "" : ","}\n${JSON.stringify(event)}`;
    this.#count += 1;
  }

  #take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

interface Parts {
  readonly tasks: TaskSpans;
  readonly steps: StepSlices;
  readonly loop: LoopEvents;
  readonly events: TraceEvents;
}
