// The commands that fetch a list of URLs of the nginx of a row: curl, and ours.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Command, CommandPeer, Measured } from "./row.ts";

const MEANWHILE = join(import.meta.dirname, "../../packages/cli/bin/meanwhile.js");

/** What is fetched. */
export interface Fetching {
  /** The path of all URLs, before their number. */
  readonly path: string;
  readonly urls: number;
  readonly atOnce: number;
  /** Of one run that took so many seconds. */
  readonly measured: (seconds: number) => Measured;
}

const inDirectory = (name: string): string => join(process.env["BENCH_DIR"] ?? "", name);

function urlsOf({ path, urls }: Fetching): string[] {
  return Array.from({ length: urls }, (_, index) => `${process.env["BENCH_URL"]}${path}${index}`);
}

/** A shell line, so that what is printed goes to a file and not through the harness. */
function toFile(args: readonly string[], file: string): Command {
  return ["sh", "-c", 'file="$1"; shift; exec "$@" > "$file"', "sh", inDirectory(file), ...args];
}

/** Where the bodies go. */
type Bodies = "thrown away" | "to files";

function curl(fetching: Fetching, bodies: Bodies, more: readonly string[]): Command {
  const output = (index: number): string => (bodies === "to files" ? inDirectory(`bodies/${index}`) : "/dev/null");
  const list = inDirectory("curl-list");
  writeFileSync(
    list,
    urlsOf(fetching)
      .map((url, index) => `url = "${url}"\noutput = "${output(index)}"\n`)
      .join(""),
  );
  rmSync(inDirectory("bodies"), { recursive: true, force: true });
  const options = ["-q", "--silent", "-Z", "--parallel-max", String(fetching.atOnce), "--create-dirs", ...more];
  return toFile(["curl", ...options, "-K", list], "records");
}

function meanwhile(fetching: Fetching, bodies: Bodies): Command {
  const list = inDirectory("list");
  writeFileSync(list, `${urlsOf(fetching).join("\n")}\n`);
  rmSync(inDirectory("bodies"), { recursive: true, force: true });
  const limits = ["-c", String(fetching.atOnce), "--per-host", String(fetching.atOnce)];
  const output = bodies === "to files" ? ["-o", inDirectory("bodies")] : [];
  const node = [process.execPath, "--conditions=@meanwhile/source"];
  return toFile([...node, MEANWHILE, "fetch", "-q", "-i", list, ...limits, ...output], "records");
}

/** For programs that promise a record for each URL. */
function withRecords({ urls, measured }: Fetching): CommandPeer["measured"] {
  return (_, seconds) => {
    const records = readFileSync(inDirectory("records"), "utf8").split("\n").length - 1;
    if (records !== urls) throw new Error(`there are ${records} records of ${urls} URLs`);
    return measured(seconds);
  };
}

/** `curl -Z`; with `more` options it is to print a line for each URL. */
export function curlPeer(name: string, fetching: Fetching, bodies: Bodies, more: readonly string[] = []): CommandPeer {
  return {
    name,
    kind: "command",
    version: ["curl", "--version"],
    install: "apt-get install curl",
    command: () => curl(fetching, bodies, more),
    measured: more.length > 0 ? withRecords(fetching) : (_, seconds) => fetching.measured(seconds),
  };
}

/** `meanwhile fetch`, which prints a line for each URL. */
export function meanwhilePeer(name: string, fetching: Fetching, bodies: Bodies): CommandPeer {
  return {
    name,
    kind: "command",
    version: [process.execPath, "--conditions=@meanwhile/source", MEANWHILE, "--version"],
    install: "npm ci",
    ours: true,
    command: () => meanwhile(fetching, bodies),
    measured: withRecords(fetching),
  };
}
