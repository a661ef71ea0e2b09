// Where in the user's program a call of ours was made.

import { fileURLToPath } from "node:url";

/** Where our own files are, of source or built. */
const FOLDER = import.meta.url.replace(/(.*\/(?:src|dist)\/).*/, "$1");

/** As the host writes it in stacks: V8 as a URL, JavaScriptCore as a path. */
const HERE = [FOLDER, fileURLToPath(FOLDER)];

/** Deep enough for our own frames and the first one of the user. */
const FRAMES = 40;

interface Frame {
  readonly name: string;
  readonly place: string;
}

/** Text for the call of ours that is running, and the place it was made at: `Lock.acquire in work (file.ts:12:3)`. */
export function callSite(): string {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(holder, callSite);
  const { stack = "" } = holder;
  Error.stackTraceLimit = limit;
  return outermostCall(stack);
}

function outermostCall(stack: string): string {
  const frames = stack.split("\n").flatMap((line) => frameOf(line));
  const at = frames.findIndex(({ place }) => !isNoUsers(place));
  const call = frames[at === -1 ? frames.length - 1 : at - 1]?.name ?? "";
  const site = frames[at];
  const where = site === undefined ? "" : `${site.name === "" ? "" : `in ${site.name} `}(${site.place})`;
  return [call, where].filter((part) => part !== "").join(" ");
}

/** Places in functions of the host, on Node, Deno and Bun. */
const OF_THE_HOST = /^(?:(?:node|ext|native):|<anonymous>$|unknown$)/;

function isNoUsers(place: string): boolean {
  return OF_THE_HOST.test(place) || HERE.some((folder) => place.startsWith(folder));
}

function frameOf(line: string): Frame[] {
  const [, text] = /^\s*at (?:async )?(.*)$/.exec(line) ?? [];
  if (text === undefined) return [];
  const [, name = "", place = text] = /^(.*) \((.*)\)$/.exec(text) ?? [];
  return [{ name, place }];
}
