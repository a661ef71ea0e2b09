// Reads the lines of a stream or of a recording. What was written by another version, or damaged, is left out.

import { UsageError } from "../../errors.ts";
import { PROTOCOL_VERSION, type StreamMessage, type TaskEvent } from "../protocol.ts";

/**
 * A line of a stream or of a recording as a message; null for one of a kind that is not known here, and for one that was
 * not written to its end.
 *
 * @throws {@link UsageError} `MW_ERR_NEWER_PROTOCOL` if it is the hello of a program that speaks a newer protocol
 *
 * @example
 * ```ts
 * import { parseMessage } from "meanwhile/diagnostics";
 *
 * console.log(parseMessage('{"type":"bye","atMs":12.5}')); //> { type: 'bye', atMs: 12.5 }
 * console.log(parseMessage('{"type":"by')); //> null
 * ```
 */
export function parseMessage(line: string): StreamMessage | null {
  const value = parseObject(line);
  const type = value?.["type"];
  const check = typeof type === "string" && Object.hasOwn(CHECKS, type) ? CHECKS[type as Kind] : undefined;
  if (value === null || check?.(value) !== true) return null;
  const message = value as unknown as StreamMessage;
  if (message.type === "hello" && message.protocol > PROTOCOL_VERSION) {
    throw new UsageError(
      "MW_ERR_NEWER_PROTOCOL",
      `Cannot read version ${message.protocol} of the protocol: ${PROTOCOL_VERSION} is known here; use a newer meanwhile`,
    );
  }
  if (message.type === "events") return { type: "events", events: message.events.filter(isEvent) };
  return message;
}

type Kind = StreamMessage["type"];
type Fields = Readonly<Record<string, unknown>>;

const CHECKS: Readonly<Record<Kind, (value: Fields) => boolean>> = {
  hello: ({ protocol, program }) => isNumber(protocol) && isObject(program) && isNumber(program["pid"]),
  snapshot: (value) => areTasks(value) && LISTS.every((name) => isListOfObjects(value[name])) && isNumber(value["seq"]),
  delta: (value) => areTasks(value) && Array.isArray(value["gone"]) && isNumber(value["seq"]),
  events: ({ events }) => Array.isArray(events),
  warning: ({ warning }) => isObject(warning) && isNumber(warning["id"]) && typeof warning["message"] === "string",
  block: ({ block }) => isObject(block) && isNumber(block["id"]) && isNumber(block["startedAtMs"]),
  gap: ({ from, to }) => isNumber(from) && isNumber(to),
  bye: ({ atMs }) => isNumber(atMs),
};
const LISTS = ["resources", "cycles", "warnings", "blocks"] as const;

function parseObject(line: string): Fields | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function areTasks({ atMs, tasks, ended, loop, counts }: Fields): boolean {
  const isWhole = isNumber(atMs) && isObject(loop) && isObject(counts);
  return isWhole && isListOfObjects(ended) && isListOfObjects(tasks) && tasks.every(isTask);
}

function isTask({ id, name, waits, activity }: Fields): boolean {
  const isNamed = isNumber(id) && typeof name === "string" && typeof activity === "string";
  return isNamed && isListOfObjects(waits) && waits.every((wait) => typeof wait["for"] === "string");
}

function isEvent(event: unknown): event is TaskEvent {
  if (!Array.isArray(event)) return false;
  const [seq, atMs, kind, task] = event as unknown[];
  return isNumber(seq) && isNumber(atMs) && typeof kind === "string" && isNumber(task);
}

function isListOfObjects(value: unknown): value is Fields[] {
  return Array.isArray(value) && value.every(isObject);
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
