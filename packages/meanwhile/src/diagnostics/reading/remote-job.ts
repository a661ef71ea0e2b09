// Reads what was said of a job that runs elsewhere. It comes from another thread or machine, maybe from whoever can write to a
// queue: nothing of it is trusted but that it is data.

import type { RemoteJob, RemotePlace, RemoteTask, RemoteWait, RemoteWorker } from "../../lowlevel.ts";
import { printable } from "../worker/printable.ts";

/** How much is taken: of tasks, of the waits of each, of the calls of each wait, and of a text. */
const MOST_TASKS = 200;
const MOST_WAITS = 8;
const MOST_CALLS = 20;
const LONGEST_TEXT = 300;
/** How much text is taken in all, in characters. */
const MOST_TEXT = 64_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * What was said of a job, with nothing in it but what {@link RemoteJob} has: at most 200 tasks and 64 000 characters of text,
 * with control characters shown as `\u001b`. Of anything else, that nothing is known. Never throws.
 *
 * @example
 * ```ts
 * import { readRemoteJob } from "meanwhile/diagnostics";
 *
 * console.log(readRemoteJob({ function: "crunch", state: "queued" }).state); //> queued
 * console.log(readRemoteJob("anything").state); //> unknown
 * ```
 */
export function readRemoteJob(value: unknown): RemoteJob {
  return new Reader().job(fieldsOf(value));
}

class Reader {
  #left = MOST_TEXT;

  job(said: Fields): RemoteJob {
    const { state, note, worker } = said;
    const known = {
      function: this.#text(said["function"]),
      id: this.#text(said["id"]),
      attempt: Math.max(1, count(said["attempt"])),
      state: state === "queued" || state === "running" ? state : "unknown",
      worker: typeof worker === "object" && worker !== null ? this.#worker(fieldsOf(worker)) : null,
      runningMs: isNumber(said["runningMs"]) ? Math.max(0, Math.round(said["runningMs"])) : null,
      note: typeof note === "string" ? this.#text(note) : null,
    } as const;
    const tasks = this.#tasks(listOf(said["tasks"]));
    return { ...known, tasks, leftOut: count(said["leftOut"]) + listOf(said["tasks"]).length - tasks.length };
  }

  #worker({ id, host, pid, thread }: Fields): RemoteWorker {
    return {
      id: this.#text(id),
      host: this.#text(host),
      pid: count(pid),
      thread: isNumber(thread) ? count(thread) : null,
    };
  }

  // Whole tasks, as long as there is room. Each has a number of its own, and belongs to one before it or to none: so they
  // are trees.
  #tasks(said: readonly unknown[]): RemoteTask[] {
    const tasks = new Map<number, RemoteTask>();
    for (const one of said.slice(0, MOST_TASKS)) {
      const fields = fieldsOf(one);
      const [id, parent] = [count(fields["id"]), count(fields["parent"])];
      if (this.#left <= 0) break;
      if (id > 0 && !tasks.has(id)) tasks.set(id, this.#task(id, tasks.has(parent) ? parent : null, fields));
    }
    return [...tasks.values()];
  }

  #task(id: number, parent: number | null, { name, activity, waits }: Fields): RemoteTask {
    return {
      id,
      name: this.#text(name),
      parent,
      activity: activity === "new" || activity === "waiting" ? activity : "running",
      waits: listOf(waits)
        .slice(0, MOST_WAITS)
        .map((wait) => this.#wait(fieldsOf(wait))),
    };
  }

  #wait(wait: Fields): RemoteWait {
    const places = listOf(wait["stack"]).slice(0, MOST_CALLS);
    return { for: this.#text(wait["for"]), stack: places.map((place) => this.#place(fieldsOf(place))) };
  }

  #place(place: Fields): RemotePlace {
    const [line, column] = [count(place["line"]), count(place["column"])];
    return { function: this.#text(place["function"]), file: this.#text(place["file"]), line, column };
  }

  #text(value: unknown): string {
    if (typeof value !== "string") return "";
    // Cut before it is made printable: that makes it longer, six times at most.
    const cut = value.length <= LONGEST_TEXT ? value : `${value.slice(0, LONGEST_TEXT - 1)}…`;
    const text = this.#left < cut.length ? "" : printable(cut.toWellFormed());
    this.#left -= Math.max(text.length, 8);
    return text;
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function count(value: unknown): number {
  return isNumber(value) && value > 0 ? Math.min(Math.floor(value), Number.MAX_SAFE_INTEGER) : 0;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
