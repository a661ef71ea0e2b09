// Asks the program what only it can tell, and keeps what it has told.

import type { Answer, FromWorker, Question, ToldTask, ToWorker } from "../link.ts";
import type { Place, Wait } from "../protocol.ts";
import type { SharedMemory } from "../shared-memory.ts";
import { round } from "./loop-delay.ts";
import type { Cut } from "./shared-reader.ts";
import { stackPlaces } from "./stack-places.ts";
import { type Details, resourceId, type TaskRow, type ToldResources } from "./state.ts";

/** How long the program may take to answer one question; it is blocked if it takes longer. */
const ANSWER_MS = 100;

/** How long it may take to do something: it is done also when nobody waits for it any more. */
const DONE_MS = 2_000;

/** From how many tasks on circles are looked for. */
const MOST_JOINING = 1_000;

/** What was told about the tasks of one cut. */
export interface Told {
  readonly details: Details;
  readonly resources: ToldResources;
  readonly cycles: ReadonlyArray<readonly number[]>;
  /** Whether everything that was asked was answered. */
  readonly answered: boolean;
}

/** The other side of the link. */
export class ProgramLink {
  readonly #send: (message: FromWorker) => void;
  readonly #places = new Map<number, Place>();
  readonly #stacks = new Map<number, string>();
  readonly #open = new Map<number, (answer: Answer) => void>();
  #asked = 0;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  /** Takes what the program has sent, if it is an answer or belongs to one. */
  receive(message: ToWorker): void {
    if (message.kind === "place") this.#places.set(message.id, placeFrom(message.place));
    else if (message.kind === "stack") this.#stacks.set(message.id, message.stack);
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
    for (let at = 0; at < ids.length;) {
      const answer = await this.ask({ about: "tasks", ids: ids.slice(at, at + 1_000) });
      if (answer === null || answer.looked === 0) return { tasks, answered: false };
      for (const task of answer.tasks) tasks.set(task.id, task);
      at += answer.looked;
    }
    return { tasks, answered: true };
  }

  /** Cancels a task; null if the program does not say in time whether there is one. */
  async cancel(id: number): Promise<boolean | null> {
    const answer = await this.ask({ about: "cancel", id }, DONE_MS);
    return answer === null ? null : answer.looked === 1;
  }

  /** What is known without asking anybody. */
  untold(): Told {
    const details: Details = { waitsOf: () => null, stackWith: (id) => this.#creationStack(id) };
    return { details, resources: new Map(), cycles: [], answered: false };
  }

  /** Asks about the waiting tasks and the resources in a cut. */
  async tell({ memory }: Cut, rows: readonly TaskRow[]): Promise<Told> {
    const waiting = rows.filter(({ activity }) => activity === "waiting" || activity === "quiet");
    const asked = await this.askAboutTasks(waiting.map(({ id }) => id));
    const known = resourceRows(memory);
    const told = asked.answered ? await this.ask({ about: "resources", rows: known }) : null;
    const joining = waiting.filter(({ other, target }) => other !== 0 || resourceId(memory, target) !== null);
    const circles =
      told === null
        ? null
        : await this.ask({ about: "cycles", ids: joining.slice(0, MOST_JOINING).map(({ id }) => id) });
    const resources = new Map((told?.resources ?? []).map((resource) => [resource.row, resource]));
    const details: Details = {
      stackWith: (id) => this.#creationStack(id),
      waitsOf: (row) => this.#waitsOf(row, asked.tasks.get(row.id), memory),
    };
    return { details, resources, cycles: circles?.cycles ?? [], answered: circles !== null };
  }

  #waitsOf(row: TaskRow, told: ToldTask | undefined, memory: Cut["memory"]): readonly Wait[] | null {
    // Something has happened since the cut: what was told is of another wait.
    if (told === undefined || told.steps !== row.steps || told.waits.length === 0) return null;
    return told.waits.map((wait) => ({
      for: wait.for,
      resource: wait.row === 0 ? null : resourceId(memory, wait.row),
      task: wait.task === 0 ? null : wait.task,
      foreign: wait.foreign,
      sinceMs: round(row.sinceMs),
      stack: wait.places.flatMap((id) => this.#places.get(id) ?? []),
    }));
  }

  #creationStack(id: number): readonly Place[] {
    const stack = id === 0 ? undefined : this.#stacks.get(id);
    return stack === undefined ? [] : stackPlaces(stack);
  }

  /** The innermost place of a wait that was told. */
  placeOf(told: ToldTask | undefined): Place | null {
    const id = told?.waits[0]?.places[0];
    return id === undefined ? null : (this.#places.get(id) ?? null);
  }
}

function placeFrom(text: string): Place {
  const [name, file, line, column] = JSON.parse(text) as [string, string, number, number];
  return { function: name, file, line, column };
}

/** The rows that stand for a resource. */
function resourceRows(memory: SharedMemory): number[] {
  const rows: number[] = [];
  for (let row = 0; row < memory.capacities.targets; row++) if (resourceId(memory, row) !== null) rows.push(row);
  return rows;
}
