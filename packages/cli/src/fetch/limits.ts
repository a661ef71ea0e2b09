// What a run may use of the network, of the time and of the disk.

import { usageError } from "../errors.ts";
import { parseBytes } from "./quantities.ts";
import { read, readCount, readLimit, readRate, readSize, type Values } from "./read-options.ts";
import { parseStatuses, type StatusSet } from "./statuses.ts";

/** Times in milliseconds, sizes in bytes; `Infinity` is no limit. */
export interface Limits {
  readonly concurrency: number;
  readonly perHost: number;
  /** Requests started per second, in all and at each host. */
  readonly rate: number;
  readonly perHostRate: number;
  /** Whether the concurrency of a host follows its answers. */
  readonly adaptive: boolean;
  readonly retries: number;
  /** The longest a host that asks for it is left alone. */
  readonly retryMaxMs: number;
  /** Attempts in a row without an answer after which a host is given up. */
  readonly maxHostErrors: number;
  /** Failed URLs after which the run stops. */
  readonly maxErrors: number;
  readonly okStatuses: StatusSet;
  /** Undefined if it was not said: then a body that is saved may take as long as bytes keep coming. */
  readonly timeoutMs: number | undefined;
  readonly connectMs: number;
  readonly idleMs: number;
  /** Bytes per second; 0 is no limit. */
  readonly minSpeed: number;
  readonly deadlineMs: number;
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
  /** What must stay free of the disk. */
  readonly minFreeBytes: number;
}

// A body in a record is held in memory until it is written; one in a file is not.
const MAX_INLINE_SIZE = "10MiB";
const MAX_FILE_SIZE = "1GiB";

/** @throws {@link CommandError} with exit code 2 */
export function readLimits(values: Values): Limits {
  const { timeout } = values;
  const maxHostErrors = readCount("--max-host-errors", values["max-host-errors"], 0);
  return {
    concurrency: readCount("-c", values.concurrency, 1),
    perHost: readCount("--per-host", values["per-host"], 1),
    rate: readRate("--rate", values.rate),
    perHostRate: readRate("--per-host-rate", values["per-host-rate"]),
    adaptive: values.adaptive,
    retries: readCount("--retries", values.retries, 0),
    retryMaxMs: readLimit("--retry-max-time", values["retry-max-time"]),
    maxHostErrors: maxHostErrors === 0 ? Infinity : maxHostErrors,
    maxErrors: readMaxErrors(values),
    okStatuses: read("--ok", values.ok ?? "100-399", parseStatuses, "statuses like 200-299,404"),
    timeoutMs: timeout === undefined ? undefined : readLimit("--timeout", timeout),
    connectMs: readLimit("--connect-timeout", values["connect-timeout"]),
    idleMs: readLimit("--idle-timeout", values["idle-timeout"]),
    minSpeed: readBytes("--min-speed", values["min-speed"]),
    deadlineMs: readLimit("--deadline", values.deadline),
    maxBytes: readSize("--max-size", values["max-size"] ?? (values.body === "none" ? MAX_FILE_SIZE : MAX_INLINE_SIZE)),
    maxTotalBytes: readSize("--max-total", values["max-total"]),
    minFreeBytes: readBytes("--min-free", values["min-free"]),
  };
}

function readMaxErrors(values: Values): number {
  const count = values["max-errors"];
  if (values["fail-fast"] && count !== undefined) throw usageError("use either --fail-fast or --max-errors, not both");
  if (values["fail-fast"]) return 1;
  return count === undefined ? Infinity : readCount("--max-errors", count, 1);
}

/** A size of which 0 is the smallest. */
function readBytes(option: string, text = "0"): number {
  return read(option, text.replace(/\/s$/, ""), parseBytes, "a size like 500kB or 10MiB; 0 for no limit");
}
