// What the cluster needs of whoever keeps the queue: nine calls of a client, six of a worker.
//
// A job in the queue goes through
//
//   (unknown) ──submit──▶ waiting ──taken──▶ running ──▶ ended (kept for a while) ──▶ unknown
//       ▲                   │  ▲               │            │              ▲
//       └─────withdraw──────┘  └──lost, back───┘            └────forget────┘
//
// Invariants every engine keeps
// - A job that was submitted is waiting, running or ended until it was withdrawn, or forgotten: because it is too old, or somebody asks for that; one that is
//   submitted again under the same id is the same job.
// - At most one worker holds a job. One that is not heard of for `lostAfterMs` loses it: the job waits again, and what the
//   worker says of its end is not recorded.
// - What was published may be lost, and nobody is told: whoever depends on it says it again, or looks.

/** A job for the queue. */
export interface Submission {
  readonly id: string;
  /** The function, for those who look into the queue by other means. */
  readonly name: string;
  readonly text: string;
}

/** What the queue knows of a job. */
export type Found =
  | { readonly state: "waiting" | "unknown" }
  /** `worker` is the name of the one that has it, where the queue keeps it. */
  | { readonly state: "running"; readonly worker?: string | undefined }
  /** It has ended with this text. */
  | { readonly state: "ended"; readonly text: string }
  /** It lost its workers too often. */
  | { readonly state: "lost"; readonly why: string };

/** A queue, as a client sees it. */
export interface ClientPort {
  /** Adds jobs, all or none; those that are there already stay as they are. */
  submit(jobs: readonly Submission[]): Promise<void>;
  /** What has become of jobs. */
  look(ids: readonly string[]): Promise<Found[]>;
  /** Takes a job out of the queue that nobody has begun. Returns whether it is gone. */
  withdraw(id: string): Promise<boolean>;
  /** Gives a job that nobody has begun another text. Returns whether it has, and whoever begins it will have that one. */
  replace(id: string, text: string): Promise<boolean>;
  /** Takes a job out of the queue that has ended, or that nobody has begun. */
  forget(id: string): Promise<void>;
  /** How long a text to workers may be. */
  readonly maxTextBytes: number;
  /** Tells all workers. */
  publish(texts: readonly string[]): Promise<void>;
  /** Says that the client is there for so long. Returns the time of the server in ms. */
  beat(ttlMs: number): Promise<number>;
  /** Says that it is there no more, and lets go of the connection. */
  close(): Promise<void>;
  /** Whether the error only means that the server cannot be reached just now. */
  isPassing(error: unknown): boolean;
}

/** Who is told of what comes for a client. */
export interface ClientListener {
  received(text: string): void;
  /** Something may have been missed. */
  gap(): void;
}

/** A job that a worker is given. */
export interface Taken {
  readonly id: string;
  readonly text: string;
  /** How many workers have been lost with it. */
  readonly losses: number;
}

/** What a worker says of the end of a job. */
export type Verdict =
  | { readonly kind: "value"; readonly text: string }
  /** `message` is for those who look into the queue by other means. */
  | { readonly kind: "failure"; readonly text: string; readonly message: string }
  /** Somebody else is to have it. */
  | { readonly kind: "back" };

/** A queue, as a worker sees it. */
export interface WorkerPort {
  /** How long a text to a client may be; what is longer it has to look up. */
  readonly maxTextBytes: number;
  /** Begins to take jobs. */
  start(): void;
  /** Tells clients. */
  publish(messages: ReadonlyArray<readonly [client: string, text: string]>): Promise<void>;
  /** Which of the clients are there. */
  alive(clients: readonly string[]): Promise<boolean[]>;
  /** The time of the server in ms. */
  serverTime(): Promise<number>;
  /** Takes no more jobs; ends when those it has are recorded. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** Who does the work of a worker. */
export interface WorkerListener {
  /** Runs the job. Never throws. */
  run(job: Taken): Promise<Verdict>;
  /** The end of the job is on record. */
  recorded(job: Taken, verdict: Verdict): void;
  /** The worker has lost the job: somebody else may have it. */
  lost(id: string): void;
  /** What came for all workers. */
  received(text: string): void;
  /** Something went wrong that goes on by itself. */
  trouble(error: unknown): void;
}

/** What both sides have to agree on. */
export interface QueueSettings {
  readonly queue: string;
  readonly lostAfterMs: number;
  readonly connectTimeoutMs: number;
}

/** How long the ends of the jobs of a client are kept. */
export interface KeepSettings {
  readonly keepMs: number;
  readonly keepJobs: number;
}

/** What a worker needs beside. */
export interface WorkerSettings extends QueueSettings {
  readonly id: string;
  readonly concurrency: number;
  /** After how many losses a job has ended. */
  readonly maxLosses: number;
}

/** Whoever keeps queues. */
export interface Engine {
  openClient(settings: QueueSettings & KeepSettings, client: string, listener: ClientListener): Promise<ClientPort>;
  openWorker(settings: WorkerSettings, listener: WorkerListener): Promise<WorkerPort>;
}

/** For a client whose jobs are asked for by others too, every client is told. */
export const EVERYBODY = "*";
/** Where all workers listen, if they do so as clients do: no client is called that. */
export const WORKERS = "workers";
