// The options of the commands that ask programs: what the parser takes, the help says and the shell completes.

import type { OptionRow } from "../fetch/option-tables.ts";

const COMMON = {
  help: { type: "boolean", short: "h", default: false, help: "this text" },
  version: { type: "boolean", short: "V", default: false, help: "the version" },
} as const;

const STATE = {
  json: { type: "boolean", default: false, help: "one line of JSON" },
  all: { type: "boolean", default: false, help: "every task by itself, also those that stand at the same place" },
  "no-stacks": { type: "boolean", default: false, help: "leave out where tasks wait" },
  filter: {
    type: "string",
    value: "TEXT",
    help: "only tasks with this text in their name, state, what they wait for or where",
  },
} as const;

export const PS_OPTIONS: typeof STATE & typeof COMMON = { ...STATE, ...COMMON };

export const PSTREE_OPTIONS: typeof STATE & typeof COMMON = { ...STATE, ...COMMON };

const TOP = {
  sort: { type: "string", default: "since", value: "since|count|steps|age|name", help: "what comes first" },
  all: { type: "boolean", default: false, help: "every task by itself, also those that are alike" },
  filter: {
    type: "string",
    value: "TEXT",
    help: "only tasks with this text in their name, state, what they wait for or where",
  },
} as const;

const TRACE = {
  output: { type: "string", short: "o", value: "FILE", help: "the file to write; - is stdout" },
  seconds: { type: "string", default: "10", value: "N", help: "how long to record" },
  past: { type: "boolean", default: false, help: "the last N seconds, as far as the program has kept them" },
  format: {
    type: "string",
    default: "chrome",
    value: "chrome|recording",
    help: "a trace for ui.perfetto.dev, or what the program says, line by line",
  },
} as const;

const INSPECT = {
  port: { type: "string", default: "0", value: "N", help: "the port on 127.0.0.1; 0 is any that is free" },
  allow: {
    type: "string",
    value: "cancel",
    help: "the page may cancel tasks; the program must allow it too: meanwhile run --allow cancel",
  },
  json: { type: "boolean", default: false, help: "the address as one line of JSON" },
} as const;

export const TOP_OPTIONS: typeof TOP & typeof COMMON = { ...TOP, ...COMMON };

export const TRACE_OPTIONS: typeof TRACE & typeof COMMON = { ...TRACE, ...COMMON };

export const INSPECT_PAGE_OPTIONS: typeof INSPECT & typeof COMMON = { ...INSPECT, ...COMMON };

/** The options of each command. */
export const INSPECT_OPTIONS: Readonly<Record<string, Readonly<Record<string, OptionRow>>>> = {
  ps: PS_OPTIONS,
  pstree: PSTREE_OPTIONS,
  top: TOP_OPTIONS,
  trace: TRACE_OPTIONS,
  inspect: INSPECT_PAGE_OPTIONS,
};
