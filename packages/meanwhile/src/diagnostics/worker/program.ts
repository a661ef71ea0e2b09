// Asks the program what only it can tell, and keeps what it has told.

import type { Answer, FromWorker, Question, ToldResource, ToWorker } from "../link.ts";
import type { OpenScope, Place, Wait } from "../protocol.ts";
import { type SharedMemory, TARGET, TARGET_FLAG } from "../shared-memory.ts";
import { round } from "./loop-delay.ts";
import { stackPlaces } from "./stack-places.ts";
import { type Details, labelOf, nameOf, resourceId, type TaskRow, type ToldResources } from "./state.ts";
import { readTold, readToldFrames, type ToldFrame, type ToldTask, type ToldWait } from "./told.ts";

/** How long the program may take to answer one question; it is blocked if it takes longer. */
const ANSWER_MS = 100;

/** How long it may take to do something: it is done also when nobody waits for it any more. */
const DONE_MS = 2_000;

/** How many are asked about at once; the program answers for as many as it has time for. */
const MOST_AT_ONCE = 500;

/** What was told about the tasks of one cut. */
export interface Told {
  readonly details: Details;
  readonly resources: ToldResources;
  readonly tasks: ReadonlyMap<number, ToldTask>;
  /** Whether everything that was asked was answered. */
  readonly answered: boolean;
}

/** The other side of the link. */
export class ProgramLink {
  readonly #send: (message: FromWorker) => void;
  readonly #places = new Map<number, Place>();
  readonly #calls = new Map<number, readonly Place[]>();
  readonly #stacks = new Map<number, readonly Place[]>();
  readonly #open = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  /** Takes what the program has sent, if it is an answer or belongs to one. */
  receive(message: ToWorker): void {
    if (message.kind === "place") this.#places.set(message.id, placeFrom(message.place));
    else if (message.kind === "calls") {
      this.#calls.set(
        message.id,
        message.places.flatMap((id) => this.#places.get(id) ?? []),
      );
    } else if (message.kind === "stack") this.#stacks.set(message.id, stackPlaces(message.stack));
    else if (message.kind === "answer") {
      this.#open.get(message.ask)?.(message.answer);
      this.#open.delete(message.ask);
    }
  }

  /** Asks; null if there is no answer in time. */
  async ask(question: Question, patienceMs: number = ANSWER_MS): Promise<Answer | null> {
    const ask = (this.#asked += 1);
    const { promise, resolve } = Promise.withResolvers<Answer | null>();
    this.#open.set(ask, resolve);
    this.#send({ kind: "ask", ask, question });
    const timer = setTimeout(() => {
      this.#open.delete(ask);
      resolve(null);
    }, patienceMs);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks about all these tasks, one part after another; those that were told before the program fell silent. */
  async askAboutTasks(ids: readonly number[]): Promise<{ tasks: Map<number, ToldTask>; answered: boolean }> {
    const tasks = new Map<number, ToldTask>();
    const answered = await this.#askInParts(ids, "tasks", (answer) => {
      for (const task of readTold(answer)) tasks.set(task.id, task);
    });
    return { tasks, answered };
  }

  /** Asks about resources in the same way, by their rows. */
  async askAboutResources(
    rows: readonly number[],
  ): Promise<{ resources: Map<number, ToldResource>; answered: boolean }> {
    const resources = new Map<number, ToldResource>();
    const answered = await this.#askInParts(rows, "resources", (answer) => {
      for (const resource of answer.resources) resources.set(resource.row, resource);
    });
    return { resources, answered };
  }

  /** Asks through which calls these tasks wait. */
  async askAboutFrames(ids: readonly number[]): Promise<ToldFrame[]> {
    const frames: ToldFrame[] = [];
    await this.#askInParts(ids, "frames", (answer) => {
      // One by one: there may be more than a call can have arguments.
      for (const frame of readToldFrames(answer)) frames.push(frame);
    });
    return frames;
  }

  async #askInParts(
    all: readonly number[],
    about: "tasks" | "frames" | "resources",
    take: (answer: Answer) => void,
  ): Promise<boolean> {
    for (let at = 0; at < all.length;) {
      const part = Float64Array.from(all.slice(at, at + MOST_AT_ONCE));
      const answer = await this.ask(about === "resources" ? { about, rows: part } : { about, ids: part });
      if (answer === null || answer.looked === 0) return false;
      take(answer);
      at += answer.looked;
    }
    return true;
  }

  /** Cancels a task; null if the program does not say in time whether there is one. */
  async cancel(id: number): Promise<boolean | null> {
    const answer = await this.ask({ about: "cancel", id }, DONE_MS);
    return answer === null ? null : answer.looked === 1;
  }

  /** What is known without asking anybody. */
  untold(): Told {
    const details: Details = { toldOf: () => null, stackWith: (id) => this.#stacks.get(id) ?? [] };
    return { details, resources: new Map(), tasks: new Map(), answered: false };
  }

  /** Asks about the waiting tasks and the resources in a cut. */
  async tell(memory: SharedMemory, rows: readonly TaskRow[]): Promise<Told> {
    const waiting = rows.filter(({ activity }) => activity === "waiting" || activity === "quiet");
    const { tasks, answered } = await this.askAboutTasks(waiting.map(({ id }) => id));
    const told = answered ? await this.askAboutResources(resourceRows(memory)) : null;
    const resources: ToldResources = told?.resources ?? new Map();
    const names = new Map(rows.map(({ id, row }) => [id, row]));
    const textOf = (wait: ToldWait): string => wait.text ?? textOfRow(memory, wait, resources, names);
    const details: Details = {
      stackWith: (id) => this.#stacks.get(id) ?? [],
      toldOf: (row) => this.#toldOf(row, tasks.get(row.id), memory, textOf),
    };
    return { details, resources, tasks, answered: told?.answered ?? false };
  }

  #toldOf(
    row: TaskRow,
    told: ToldTask | undefined,
    memory: SharedMemory,
    textOf: (wait: ToldWait) => string,
  ): { readonly waits: readonly Wait[]; readonly scopes: readonly OpenScope[] } | null {
    // Something has happened since the cut: what was told is of another wait.
    if (told === undefined || told.steps !== row.steps || told.waits.length === 0) return null;
    const waits = told.waits.map((wait) => ({
      for: textOf(wait),
      resource: resourceId(memory, wait.row),
      task: wait.task === 0 ? null : wait.task,
      foreign: wait.foreign,
      sinceMs: round(row.sinceMs),
      stack: this.#calls.get(wait.calls) ?? [],
    }));
    return { waits, scopes: told.scopes };
  }

  /** The place with the number. */
  placeWith(id: number): Place | null {
    return this.#places.get(id) ?? null;
  }

  /** The innermost place of a wait that was told. */
  placeOf(told: ToldTask | undefined): Place | null {
    return this.#calls.get(told?.waits[0]?.calls ?? 0)?.[0] ?? null;
  }
}

function placeFrom(text: string): Place {
  const [name, file, line, column] = JSON.parse(text) as [string, string, number, number];
  return { function: name, file, line, column };
}

/** What the program leaves out, because it can be told from outside. */
function textOfRow(
  memory: SharedMemory,
  { row, task }: ToldWait,
  resources: ToldResources,
  rowsOfTasks: ReadonlyMap<number, number>,
): string {
  if (task === 0) return resources.get(row)?.description ?? labelOf(memory, row);
  const ofTask = rowsOfTasks.get(task);
  return `task "${ofTask === undefined ? `task ${task}` : nameOf(memory, ofTask, task)}"`;
}

/** The rows that stand for a resource. */
function resourceRows(memory: SharedMemory): number[] {
  const rows: number[] = [];
  for (let row = 0; row < memory.capacities.targets; row++) if (resourceId(memory, row) !== null) rows.push(row);
  return rows;
}

/** Of these the ones that somebody waits for, and that know who could end the wait. */
export function heldRows(memory: SharedMemory): number[] {
  return resourceRows(memory).filter((row) => {
    const at = row * TARGET.words;
    const isHeld = ((memory.targets[at + TARGET.flags] as number) & TARGET_FLAG.holders) !== 0;
    return isHeld && (memory.targets[at + TARGET.waiters] as number) > 0;
  });
}
