// What clients and workers say to each other of jobs that somebody looks at: a question to all workers, an answer in parts.
//
// An answer is a text like any other (wire.ts), bound to its question if there is a secret: one cannot be passed off as the
// answer to another. It is longer than some servers send at once, so it goes in parts; one that is not whole is as if it had
// not come.

import { EVERYBODY, WORKERS } from "./engine.ts";

/** What a client asks all workers: whoever runs one of the jobs answers. */
export interface Looks {
  /** Who is to be answered. */
  readonly client: string;
  readonly jobs: ReadonlyArray<readonly [question: string, id: string]>;
}

/** A part of an answer. */
export interface LookPart {
  readonly kind: "look";
  /** The question. */
  readonly id: string;
  /** From 0. */
  readonly part: number;
  /** How many parts there are. */
  readonly of: number;
  readonly text: string;
}

/** How long an answer may be, in characters: a longer one has fewer tasks. */
export const MOST_LOOK_TEXT = 64_000;
/** How many parts it may have. */
const MOST_PARTS = 64;
/** How long a part may be where the server sets no limit. */
const LONGEST_PART = 16_000;
/** Of a message beside its part. */
const PART_HEAD_BYTES = 300;
/** A character of a text takes at most so many bytes on the way. */
const BYTES_EACH = 4;
/** How many jobs are asked about in a text, so that it is not too long for any server. */
const JOBS_IN_TEXT = 30;
const LONGEST_NAME = 300;

/** What a part of an answer is signed as. */
export function useOfLook(queue: string, id: string, question: string): string {
  return `look ${queue} ${id} ${question}`;
}

/** The texts of questions. Workers of an older version find nothing to do in them. */
export function writeLooks(version: number, { client, jobs }: Looks): string[] {
  const texts: string[] = [];
  for (let at = 0; at < jobs.length; at += JOBS_IN_TEXT) {
    const looks = { client, jobs: jobs.slice(at, at + JOBS_IN_TEXT) };
    texts.push(JSON.stringify({ v: version, cancel: [], looks }));
  }
  return texts;
}

/** The questions in a text to all workers; null if there are none that can be answered. */
export function readLooks(looks: unknown): Looks | null {
  const { client, jobs } = (looks ?? {}) as { client?: unknown; jobs?: unknown };
  if (!isName(client) || client === EVERYBODY || client === WORKERS || !Array.isArray(jobs)) return null;
  const isJob = (job: unknown): boolean => Array.isArray(job) && isName(job[0]) && isName(job[1]);
  return { client, jobs: jobs.slice(0, JOBS_IN_TEXT).filter(isJob) as Looks["jobs"] };
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= LONGEST_NAME;
}

/** The messages that an answer goes in. @param maxBytes - how long one may be */
export function writeLookParts(question: string, text: string, maxBytes: number): string[] {
  const length = Math.max(1, Math.min(LONGEST_PART, Math.floor((maxBytes - PART_HEAD_BYTES) / BYTES_EACH)));
  const of = Math.ceil(text.length / length);
  return Array.from({ length: of }, (_, part) => {
    const message: LookPart = {
      kind: "look",
      id: question,
      part,
      of,
      text: text.slice(part * length, (part + 1) * length),
    };
    return JSON.stringify([message]);
  });
}

/** Whether something that came for a client is a part of an answer. */
export function isLookPart(message: object): message is LookPart {
  const { kind, part, of, text } = message as { [field in keyof LookPart]?: unknown };
  if (kind !== "look" || typeof text !== "string" || text.length > LONGEST_PART) return false;
  const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
  return isCount(of) && of <= MOST_PARTS && isCount(part) && part < of;
}
