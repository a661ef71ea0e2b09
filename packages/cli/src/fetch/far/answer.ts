// What a worker says of a request. It may be of another version, or no worker of this project at all: nothing is taken as it
// comes.

import { FAILURE_MEANINGS } from "../failure-meanings.ts";
import type { Outcome } from "../outcome.ts";

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === "string";
const isAmount: Check = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isCount: Check = (value) => isAmount(value) && Number.isInteger(value);
const isStatus: Check = (value) => typeof value === "number" && isCount(value) && value >= 100 && value <= 999;

const FIELDS = {
  bytes: isCount,
  wireBytes: isCount,
  status: isStatus,
  finalUrl: isText,
  redirects: (value) => Array.isArray(value) && value.every(isText),
  ttfbMs: isAmount,
  ip: isText,
  type: isText,
  // Nothing is saved far from here.
  file: () => false,
  resumedFrom: () => false,
  sha256: isText,
  body: isText,
  bodyBase64: isText,
  failure: isFailure,
  isLocal: (value) => typeof value === "boolean",
  retryAfterMs: isAmount,
} satisfies Record<keyof Outcome, Check>;
const CHECKS: ReadonlyMap<string, Check> = new Map(Object.entries(FIELDS));

const NO_ANSWER: Outcome = {
  bytes: 0,
  failure: { code: "protocol", message: "what its worker says is no answer; is it of another version?" },
};

/** The outcome in what a worker has said; a failure of the request if there is none in it. */
export function answerOf(said: unknown): Outcome {
  if (typeof said !== "object" || said === null) return NO_ANSWER;
  const outcome: Outcome = { bytes: -1 };
  for (const [name, value] of Object.entries(said)) {
    const isGood = CHECKS.get(name);
    // A later version may say more.
    if (isGood === undefined || value === undefined) continue;
    if (!isGood(value)) return NO_ANSWER;
    Object.assign(outcome, { [name]: value });
  }
  // Without either of the two it would be a success that nobody has had.
  const isWhole = outcome.bytes >= 0 && (outcome.status !== undefined || outcome.failure !== undefined);
  return isWhole ? outcome : NO_ANSWER;
}

function isFailure(value: unknown): boolean {
  const { code, message } = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof code === "string" && Object.hasOwn(FAILURE_MEANINGS, code) && typeof message === "string";
}
