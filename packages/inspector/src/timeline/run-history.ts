// The history of a run, from the messages of a stream or of a recording: a lane for every task, and what befell all of them.
//
// Messages tell the same twice, and not always in order: a stream begins with the state and then tells the events that have
// led to it, as far as the program still has them. Events count more than states, and ends that are seen more than others.

import type {
  Block,
  DeltaMessage,
  EndedTask,
  Snapshot,
  StreamMessage,
  TaskEvent,
  TaskRecord,
  TimeMs,
} from "meanwhile/diagnostics";

import { Lane } from "./lane.ts";
import { LoadCurve } from "./load-curve.ts";
import { Texts } from "./texts.ts";
import { WaitLog } from "./wait-log.ts";

/** How many tasks are kept; beyond that the oldest that have ended are left out. */
const MOST_LANES = 200_000;

/** What is known of the past of a run. */
export class RunHistory {
  /** Every task by its id. */
  readonly lanes: Map<number, Lane> = new Map();
  /** What the waits are for. */
  readonly texts: Texts = new Texts();
  /** Every time in which the event loop did not turn, by its number. */
  readonly blocks: Map<number, Block> = new Map();
  /** From when to when, in turns, events are lost. */
  readonly gaps: TimeMs[] = [];
  /** How many tasks there were. */
  readonly alive: LoadCurve = new LoadCurve();
  /** How many of them ran, or could have. */
  readonly running: LoadCurve = new LoadCurve();
  readonly #log = new WaitLog();
  #startMs: TimeMs | null = null;
  #nowMs: TimeMs = 0;
  #events = 0;
  #left = 0;
  #lastEventMs: TimeMs | null = null;
  #gapSinceMs: TimeMs | null = null;
  // Events up to here may still come, after the state that they have led to.
  #stateSeq = 0;

  /** The first moment of which anything is known but what was made before. */
  get startMs(): TimeMs {
    return this.#startMs ?? 0;
  }

  /** The last moment that is known. */
  get nowMs(): TimeMs {
    return Math.max(this.#nowMs, this.startMs);
  }

  /** How many events there were. */
  get events(): number {
    return this.#events;
  }

  /** How many tasks were left out, because there were too many. */
  get leftOut(): number {
    return this.#left;
  }

  /** Takes the next message. */
  apply(message: StreamMessage): void {
    if (message.type === "events") {
      for (const event of message.events) this.#takeEvent(event);
      if (this.lanes.size > MOST_LANES) this.#leaveOut();
    } else if (message.type === "snapshot") this.#takeSnapshot(message);
    else if (message.type === "delta") this.#takeDelta(message);
    else if (message.type === "block") this.#takeBlock(message.block);
    // Before the first event nothing was there that could be lost.
    else if (message.type === "gap") this.#gapSinceMs ??= this.#lastEventMs;
    else if (message.type === "bye") this.#see(message.atMs);
  }

  #see(atMs: TimeMs): void {
    if (atMs > this.#nowMs) this.#nowMs = atMs;
    if (this.#startMs === null || atMs < this.#startMs) this.#startMs = atMs;
  }

  #takeEvent(event: TaskEvent): void {
    // Not as one pattern: that goes through an iterator, which takes a third of the time of a large run.
    const { 0: seq, 1: atMs, 2: kind, 3: id } = event;
    this.#see(atMs);
    this.#events += 1;
    if (this.#gapSinceMs !== null) this.#closeGap(this.#gapSinceMs, atMs);
    this.#lastEventMs = atMs;
    if (id === 0) return;
    const lane = this.lanes.get(id) ?? this.#create(id, kind === "created" ? event[5] : `task ${id}`, atMs);
    if (kind === "wait") {
      if (!lane.hasEvents) this.#beginEvents(lane, seq, atMs);
      this.#beginWait(lane, atMs, this.texts.number(event[4]));
    } else if (kind === "resume") {
      if (!lane.hasEvents) this.#beginEvents(lane, seq, atMs);
      if (event[4] === 0) this.#endWait(lane, atMs);
    } else if (kind === "created") {
      lane.isSeenFromStart = true;
      lane.parent = event[4];
      this.#countFrom(lane, atMs);
    } else if (kind === "ended") this.#end(lane, atMs, event[4]);
    else if (kind === "cancelled" && event[5]) lane.cancel(atMs);
  }

  #create(id: number, name: string, atMs: TimeMs): Lane {
    const lane = new Lane(id, name, 0, atMs, this.#log);
    this.lanes.set(id, lane);
    lane.countedFromMs = Math.max(atMs, this.startMs);
    this.alive.add(lane.countedFromMs, 1);
    this.running.add(lane.countedFromMs, 1);
    return lane;
  }

  #beginEvents(lane: Lane, seq: number, atMs: TimeMs): void {
    lane.hasEvents = true;
    if (seq > this.#stateSeq) return;
    const wasWaiting = lane.waitingSinceMs !== null;
    lane.rewind(atMs);
    if (wasWaiting && lane.waitingSinceMs === null) this.running.add(lane.countedWaitMs, 1);
    this.#countFrom(lane, atMs);
  }

  /** It was there earlier than was known. */
  #countFrom(lane: Lane, atMs: TimeMs): void {
    if (atMs >= lane.countedFromMs) return;
    for (const curve of [this.alive, this.running]) {
      curve.add(atMs, 1);
      curve.add(lane.countedFromMs, -1);
    }
    lane.countedFromMs = atMs;
  }

  #beginWait(lane: Lane, atMs: TimeMs, reason: number): void {
    if (lane.waitingSinceMs !== null) return;
    lane.beginWait(atMs, reason);
    lane.countedWaitMs = Math.max(atMs, this.startMs);
    this.running.add(lane.countedWaitMs, -1);
  }

  #endWait(lane: Lane, atMs: TimeMs): void {
    if (lane.waitingSinceMs === null) return;
    lane.endWait(atMs);
    this.running.add(Math.max(atMs, this.startMs), 1);
  }

  #end(lane: Lane, atMs: TimeMs, outcome: EndedTask["outcome"] | null): void {
    if (lane.endedAtMs === null) {
      this.#endWait(lane, atMs);
      this.alive.add(Math.max(atMs, this.startMs), -1);
      this.running.add(Math.max(atMs, this.startMs), -1);
    }
    lane.end(atMs, outcome);
  }

  #takeSnapshot(snapshot: Snapshot): void {
    this.#see(snapshot.atMs);
    if (this.#gapSinceMs !== null) this.#closeGap(this.#gapSinceMs, snapshot.atMs);
    this.#stateSeq = snapshot.seq;
    this.#loseOthers(snapshot);
    for (const block of snapshot.blocks) this.#takeBlock(block);
    if (snapshot.blocked !== null) this.#takeBlock(snapshot.blocked);
    for (const task of snapshot.ended) this.#takeEnded(task);
    for (const task of snapshot.tasks) this.#takeRecord(task);
  }

  #takeDelta(delta: DeltaMessage): void {
    this.#see(delta.atMs);
    for (const task of delta.tasks) this.#takeRecord(task);
    for (const task of delta.ended) this.#takeEnded(task);
    for (const id of delta.gone) this.#lose(id, delta.atMs);
    if (delta.blocked !== null) this.#takeBlock(delta.blocked);
  }

  #closeGap(sinceMs: TimeMs, atMs: TimeMs): void {
    this.gaps.push(sinceMs, atMs);
    this.#gapSinceMs = null;
    for (const lane of this.lanes.values()) {
      if (lane.endedAtMs !== null) continue;
      // Not in a wait that goes on: what comes next says what it does.
      this.#endWait(lane, sinceMs);
      lane.hasEvents = false;
      lane.forget(Math.max(sinceMs, lane.createdAtMs), atMs);
    }
  }

  /** What is not in the state has ended; if that was not seen yet, it may still be told. */
  #loseOthers({ tasks, counts, atMs }: Snapshot): void {
    // Of some there is no record: these are not gone.
    if (counts.unrecorded > 0) return;
    const there = new Set(tasks.map(({ id }) => id));
    for (const { id } of this.lanes.values()) if (!there.has(id)) this.#lose(id, atMs);
  }

  #lose(id: number, atMs: TimeMs): void {
    const lane = this.lanes.get(id);
    if (lane !== undefined && lane.endedAtMs === null) this.#end(lane, atMs, null);
  }

  #takeRecord(record: TaskRecord): void {
    const lane = this.#described(record, record.steps > 1 ? record.sinceMs : record.createdAtMs);
    if (record.cancelledAtMs !== null) lane.cancel(record.cancelledAtMs);
    if (lane.hasEvents || record.activity === "new") return;
    if (record.activity === "running") return this.#endWait(lane, record.sinceMs);
    // It waits for another thing than before: that it ran in between is all that is known.
    if (record.sinceMs > (lane.waitingSinceMs ?? record.sinceMs)) this.#endWait(lane, record.sinceMs);
    this.#beginWait(lane, record.sinceMs, this.texts.number(record.waits[0]?.for ?? ""));
  }

  #takeEnded(task: EndedTask): void {
    const lane = this.#described(task, task.steps > 0 ? task.endedAtMs : task.createdAtMs);
    if (task.cancelledAtMs !== null) lane.cancel(task.cancelledAtMs);
    this.#end(lane, task.endedAtMs, task.outcome);
  }

  /** The lane of a task that is described in full; until `knownFromMs` it is not known what it did, if it is new here. */
  #described(task: TaskRecord | EndedTask, knownFromMs: TimeMs): Lane {
    const known = this.lanes.get(task.id);
    const lane = known ?? this.#create(task.id, task.name, task.createdAtMs);
    lane.name = task.name;
    lane.parent = task.parent ?? 0;
    if (known === undefined) lane.forget(task.createdAtMs, knownFromMs);
    else if (lane.createdAtMs > task.createdAtMs && !lane.isSeenFromStart) {
      // Seen before only in the middle of its life.
      lane.unknown.unshift(task.createdAtMs, lane.createdAtMs);
      lane.createdAtMs = task.createdAtMs;
    }
    return lane;
  }

  #takeBlock(block: Block): void {
    this.blocks.set(block.id, block);
    this.#see(block.startedAtMs + block.durationMs);
  }

  #leaveOut(): void {
    for (const lane of this.lanes.values()) {
      if (this.lanes.size < MOST_LANES * 0.75) break;
      if (lane.endedAtMs === null) continue;
      this.lanes.delete(lane.id);
      this.#left += 1;
    }
  }
}
