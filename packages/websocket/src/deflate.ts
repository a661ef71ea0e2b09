// Compression of messages, RFC 7692: which options there are, and what they are to the framing.

import type { PerMessageDeflateOptions } from "ws";

import { badArgument, checks } from "./checks.ts";
import { checkNames, type OptionNames } from "./option-names.ts";

/** How messages are compressed. */
export interface DeflateOptions {
  /** Shorter messages are sent as they are; bytes, of a text characters. Default: 1 024. */
  readonly thresholdBytes?: number | undefined;
  /** 0 for none to 9 for the best. Default: that of zlib, 6. */
  readonly level?: number | undefined;
  /** How much memory compressing takes, 1 to 9. Default: 5, which is 32 KiB with a window of 12 bits. */
  readonly memLevel?: number | undefined;
  /** How far back the server may refer, as a power of 2: 8 to 15. Default: 12. */
  readonly serverMaxWindowBits?: number | undefined;
  /** How far back the client may refer. Default: 12; a server lets clients choose that cannot be told. */
  readonly clientMaxWindowBits?: number | undefined;
  /** Whether what the server sends may refer to its earlier messages; false saves memory. Default: true. */
  readonly serverContextTakeover?: boolean | undefined;
  /** The same of the client. Default: true. */
  readonly clientContextTakeover?: boolean | undefined;
}

/** The options, checked. */
export interface DeflateSettled {
  readonly thresholdBytes: number;
  /** What `ws` gets as a client; a server gets it too, and must not refuse who offers less. */
  readonly options: PerMessageDeflateOptions;
}

const NAMES: OptionNames<DeflateOptions> = {
  thresholdBytes: true,
  level: true,
  memLevel: true,
  serverMaxWindowBits: true,
  clientMaxWindowBits: true,
  serverContextTakeover: true,
  clientContextTakeover: true,
};

/** Those that the Python package `websockets` has: nearly as small as with more, for an eighth of the memory. */
const WINDOW_BITS = 12;
const MEM_LEVEL = 5;
const THRESHOLD_BYTES = 1_024;

/** Checks the option `compression`; null for none. */
export function settleDeflate(compression: "deflate" | "off" | DeflateOptions = "deflate"): DeflateSettled | null {
  if (compression === "off") return null;
  const given = compression === "deflate" ? {} : compression;
  if (typeof given !== "object" || given === null)
    throw badArgument("compression", compression, '"deflate", "off" or an object');
  checkNames("compression", given, NAMES);
  const { thresholdBytes = THRESHOLD_BYTES, level, memLevel = MEM_LEVEL } = given;
  const { serverMaxWindowBits = WINDOW_BITS, clientMaxWindowBits = WINDOW_BITS } = given;
  const { serverContextTakeover, clientContextTakeover } = given;
  checks.count("compression.thresholdBytes", thresholdBytes, 0);
  checkWithin("compression.level", level, 0, 9);
  checkWithin("compression.memLevel", memLevel, 1, 9);
  checkWithin("compression.serverMaxWindowBits", serverMaxWindowBits, 8, 15);
  checkWithin("compression.clientMaxWindowBits", clientMaxWindowBits, 8, 15);
  checks.flag("compression.serverContextTakeover", serverContextTakeover);
  checks.flag("compression.clientContextTakeover", clientContextTakeover);
  const options: PerMessageDeflateOptions = {
    serverMaxWindowBits,
    clientMaxWindowBits,
    // Not false: that would refuse a peer that asks for less memory.
    ...(serverContextTakeover === false ? { serverNoContextTakeover: true } : {}),
    ...(clientContextTakeover === false ? { clientNoContextTakeover: true } : {}),
    // The threshold is ours: theirs counts only without context takeover.
    threshold: 0,
    zlibDeflateOptions: level === undefined ? { memLevel } : { memLevel, level },
  };
  return { thresholdBytes, options };
}

function checkWithin(name: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return;
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return;
  throw badArgument(name, value, `an integer from ${least} to ${most}`);
}
