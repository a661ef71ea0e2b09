// All that the page knows of the program: its state now, and its past.

import { LiveState, type RemoteJob, type Resource, type StreamMessage, type TaskRecord } from "meanwhile/diagnostics";

import { RunHistory } from "../../../src/timeline/run-history.ts";
import { Client } from "./client.ts";

/** How far the page is. */
export type Status =
  | { readonly kind: "opening" }
  | { readonly kind: "live" }
  | { readonly kind: "over"; readonly text: string }
  | { readonly kind: "failed"; readonly text: string };

/** Stacks cost the program time, so many of them only when they are asked for. */
const MOST_STACKS_UNASKED = 2_000;
/** For how long it is believed that a holder still holds. */
const HELD_MS = 3_000;
/** While a recording is read, drawing would only make it last longer. */
const TELL_MS = 500;

/** Keeps what the viewer tells, and says when there is news. */
export class Model {
  readonly state = new LiveState();
  readonly history = new RunHistory();
  #status: Status = { kind: "opening" };
  #isRecording = false;
  #viewerMayCancel = false;
  #stacks: ReadonlyMap<number, TaskRecord> = new Map();
  #held: ReadonlyMap<number, Resource> = new Map();
  #readAt = -Infinity;
  #version = 0;
  #toldAt = 0;
  readonly #client: Client;
  readonly #listeners = new Set<() => void>();

  constructor(token: string) {
    this.#client = new Client(token);
  }

  /** How far it is. */
  get status(): Status {
    return this.#status;
  }

  /** Whether it shows a file, and nothing new will come. */
  get isRecording(): boolean {
    return this.#isRecording;
  }

  /** Whether tasks can be cancelled from here: the viewer and the program have both to allow it. */
  get mayCancel(): boolean {
    const isAllowed = this.#viewerMayCancel && this.state.hello?.allowed.includes("cancel") === true;
    return isAllowed && this.#status.kind === "live";
  }

  /** Cancels a task. Resolves with what is to be said of it: nothing, or why it cannot be. */
  async cancel(task: number): Promise<string> {
    try {
      await this.#client.cancel(task);
      return "";
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  /** Changes with every news. */
  get version(): number {
    return this.#version;
  }

  /** Calls back whenever there is news. Returns what ends it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What is known of a live task, with its stacks if they were read. */
  recordOf(id: number): TaskRecord | undefined {
    const record = this.state.tasks.get(id);
    const read = this.#stacks.get(id);
    // Only stacks of the wait that still goes on.
    return record !== undefined && read?.sinceMs === record.sinceMs ? read : record;
  }

  /** What is waited for, with who holds it as far as the program was asked lately. */
  get resources(): readonly Resource[] {
    if (performance.now() - this.#readAt > HELD_MS) return this.state.resources;
    return this.state.resources.map((resource) => {
      const held = this.#held.get(resource.id);
      if (held === undefined || resource.holders.length > 0) return resource;
      return { ...resource, holders: held.holders, description: held.description };
    });
  }

  /** Begins to read, until there is no more to come. */
  start(): void {
    return void this.#run();
  }

  async #run(): Promise<void> {
    try {
      const { isRecording, mayCancel } = await this.#client.viewer();
      [this.#isRecording, this.#viewerMayCancel] = [isRecording, mayCancel];
      const hello = await this.#client.ask("/v1/hello");
      const level = hello?.type === "hello" ? hello.level : 0;
      const path = level >= 2 || this.#isRecording ? "/v1/stream?events=1&from=0" : "/v1/stream";
      await this.#client.follow(
        path,
        (message) => this.#take(message),
        () => this.#tellSometimes(),
      );
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      if (this.state.hello === null) return this.#setStatus({ kind: "failed", text });
      // What is there already stays on the screen.
    }
    this.#setStatus({ kind: "over", text: await this.#overText() });
  }

  /** What a task waits for that runs elsewhere, as far as anybody says. */
  async remoteJobs(task: number): Promise<readonly RemoteJob[]> {
    if (this.#isRecording || this.#status.kind !== "live") return [];
    try {
      return await this.#client.remoteJobs(task);
    } catch {
      return []; // the program is an older one, or has ended
    }
  }

  /** Asks the program for the stacks of its tasks, unless there are so many that somebody has to `insist`. */
  readStacks({ insists }: { readonly insists: boolean }): void {
    if (this.#isRecording || this.#status.kind !== "live") return;
    if (insists || this.state.tasks.size <= MOST_STACKS_UNASKED) return void this.#readStacks();
  }

  async #readStacks(): Promise<void> {
    try {
      const snapshot = await this.#client.ask("/v1/snapshot");
      if (snapshot?.type !== "snapshot") return;
      this.#stacks = new Map(snapshot.tasks.map((task) => [task.id, task]));
      this.#held = new Map(snapshot.resources.map((resource) => [resource.id, resource]));
      this.#readAt = performance.now();
      this.#tell();
    } catch {
      // The program has ended, or is stopped; the status tells that.
    }
  }

  /** Whether stacks come only when they are asked for. */
  get asksForStacks(): boolean {
    return !this.#isRecording && this.#status.kind === "live" && this.state.tasks.size > MOST_STACKS_UNASKED;
  }

  async #overText(): Promise<string> {
    if (this.#isRecording) return this.state.isOver ? "recording" : "recording, cut off";
    // A program that exits has no time for a farewell.
    return this.state.isOver || (await this.#client.isGone()) ? "ended" : "connection lost";
  }

  #take(message: StreamMessage): void {
    this.state.apply(message);
    this.history.apply(message);
    if (message.type === "snapshot" && !this.#isRecording) this.#status = { kind: "live" };
  }

  #setStatus(status: Status): void {
    this.#status = status;
    this.#tell();
  }

  #tellSometimes(): void {
    const now = performance.now();
    // What has come is told at the end of the recording at the latest.
    if (this.#isRecording && now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    this.#tell();
  }

  #tell(): void {
    this.#version += 1;
    for (const listener of this.#listeners) listener();
  }
}
