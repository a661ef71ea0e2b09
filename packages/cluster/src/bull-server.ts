// How BullMQ is made on a server, and what its two sides share.

import type { Job, Queue, QueueOptions, Worker, WorkerOptions } from "bullmq";

import type { Control } from "./control.ts";
import type { QueueSettings } from "./engine.ts";

/** How long a server may take to say goodbye. */
export const GOODBYE_MS = 2_000;

/** How BullMQ is made on a server. */
export interface BullServer {
  /** Whether it costs little to compare each end with the number of those that are kept. */
  readonly isCountCheap: boolean;
  control(settings: QueueSettings, listener: { gap(): void }): Promise<Control>;
  queue(name: string, options: Omit<QueueOptions, "connection">, control: Control): AnyQueue;
  worker(
    name: string,
    processor: (job: AnyJob, token?: string) => Promise<string>,
    options: Omit<WorkerOptions, "connection">,
    control: Control,
  ): AnyWorker;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the types of BullMQ differ by server in what nobody here touches
export type AnyQueue = Queue<string, string, string, string, string, string, any, any>;
// oxlint-disable-next-line typescript/no-explicit-any -- as above
export type AnyWorker = Worker<string, string, string, any, any, any>;
export type AnyJob = Job<string, string>;

/** What a server can keep of a text that is only looked at. */
export function shown(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\\0");
}
