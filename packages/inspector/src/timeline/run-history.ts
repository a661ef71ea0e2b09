// The history of a run, from the messages of a stream or of a recording: a lane for every task, and what befell all of them.

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

import { beginWait, endLane, endWait, forget, isWaiting, type Lane, newLane, rewind, Texts } from "./lane.ts";

/** How many edges are kept; beyond that the oldest tasks that have ended are left out. */
const MOST_EDGES = 4_000_000;

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
  #startMs: TimeMs | null = null;
  #nowMs: TimeMs = 0;
  #events = 0;
  #edges = 0;
  #left = 0;
  #revision = 0;
  #lastEventMs: TimeMs | null = null;
  #gapSinceMs: TimeMs | null = null;
  // Events up to here may still come, after the state that they have led to.
  #stateSeq = 0;

  /** The first moment that is known. */
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

  /** Changes when lanes come, go, or get another parent or name. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes the next message. */
  apply(message: StreamMessage): void {
    if (message.type === "events") {
      for (const event of message.events) this.#takeEvent(event);
      if (this.#edges > MOST_EDGES) this.#leaveOut();
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
    const [seq, atMs, kind, id] = event;
    this.#see(atMs);
    this.#events += 1;
    if (this.#gapSinceMs !== null) this.#closeGap(this.#gapSinceMs, atMs);
    this.#lastEventMs = atMs;
    if (id === 0) return;
    const lane = kind === "created" ? this.#create(id, event[5], event[4], atMs) : this.#laneOf(id, atMs);
    if (kind === "created") lane.isSeenFromStart = true;
    else if (kind === "wait") {
      this.#beginEvents(lane, seq, atMs);
      beginWait(lane, atMs, this.texts.number(event[4]));
      this.#edges += 1;
    } else if (kind === "resume") {
      this.#beginEvents(lane, seq, atMs);
      if (event[4] === 0) endWait(lane, atMs);
    } else if (kind === "ended") endLane(lane, atMs, event[4]);
    else if (kind === "cancelled" && event[5]) cancelLane(lane, atMs);
  }

  #beginEvents(lane: Lane, seq: number, atMs: TimeMs): void {
    if (lane.hasEvents) return;
    lane.hasEvents = true;
    if (seq <= this.#stateSeq) rewind(lane, atMs);
  }

  #create(id: number, name: string, parent: number, atMs: TimeMs): Lane {
    const known = this.lanes.get(id);
    if (known !== undefined) return known;
    const lane = newLane(id, name, parent, atMs);
    this.lanes.set(id, lane);
    this.#revision += 1;
    return lane;
  }

  #laneOf(id: number, atMs: TimeMs): Lane {
    return this.lanes.get(id) ?? this.#create(id, `task ${id}`, 0, atMs);
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
      endWait(lane, sinceMs);
      lane.hasEvents = false;
      forget(lane, Math.max(sinceMs, lane.createdAtMs), atMs);
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
    if (lane === undefined || lane.endedAtMs !== null) return;
    endLane(lane, atMs, null);
  }

  #takeRecord(record: TaskRecord): void {
    const lane = this.#described(record, record.steps > 1 ? record.sinceMs : record.createdAtMs);
    if (record.cancelledAtMs !== null) cancelLane(lane, record.cancelledAtMs);
    if (lane.hasEvents || record.activity === "new") return;
    const since = Math.max(record.sinceMs, lane.edges.at(-1) ?? record.sinceMs);
    if (record.activity === "running") return endWait(lane, since);
    const reason = this.texts.number(record.waits[0]?.for ?? "");
    // It waits for another thing than before: that it ran in between is all that is known.
    if (isWaiting(lane) && since > (lane.edges.at(-1) ?? since)) endWait(lane, since);
    beginWait(lane, since, reason);
  }

  #takeEnded(task: EndedTask): void {
    const lane = this.#described(task, task.steps > 0 ? task.endedAtMs : task.createdAtMs);
    if (task.cancelledAtMs !== null) cancelLane(lane, task.cancelledAtMs);
    endLane(lane, task.endedAtMs, task.outcome);
  }

  /** The lane of a task that is described in full; until `knownFromMs` it is not known what it did, if it is new here. */
  #described(task: TaskRecord | EndedTask, knownFromMs: TimeMs): Lane {
    const known = this.lanes.get(task.id);
    const lane = known ?? this.#create(task.id, task.name, task.parent ?? 0, task.createdAtMs);
    this.#see(task.createdAtMs);
    if (known === undefined) forget(lane, task.createdAtMs, knownFromMs);
    else if (lane.createdAtMs > task.createdAtMs) {
      // Seen before only in the middle of its life.
      const seenAtMs = lane.createdAtMs;
      lane.createdAtMs = task.createdAtMs;
      lane.unknown.unshift(task.createdAtMs, seenAtMs);
    }
    const parent = task.parent ?? 0;
    if (lane.name !== task.name || lane.parent !== parent) {
      lane.name = task.name;
      lane.parent = parent;
      this.#revision += 1;
    }
    return lane;
  }

  #takeBlock(block: Block): void {
    this.blocks.set(block.id, block);
    this.#see(block.startedAtMs);
    this.#see(block.startedAtMs + block.durationMs);
  }

  #leaveOut(): void {
    for (const lane of this.lanes.values()) {
      if (this.#edges < MOST_EDGES * 0.75) break;
      if (lane.endedAtMs === null) continue;
      this.lanes.delete(lane.id);
      this.#edges -= lane.edges.length / 2;
      this.#left += 1;
    }
    this.#revision += 1;
  }
}

/** The same cancellation is told as an event and in the records. */
function cancelLane(lane: Lane, atMs: TimeMs): void {
  if (!lane.cancels.some((known) => Math.abs(known - atMs) < 1)) lane.cancels.push(atMs);
}
