// Row 6: the command. 20 000 URLs of an nginx on the same machine, 100 at a time, beside curl doing the same.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { nginx } from "../harness/nginx.ts";
import type { Command, CommandPeer, Measured, Row } from "../harness/row.ts";

const URLS = 20_000;
const AT_ONCE = 100;
const MEANWHILE = join(import.meta.dirname, "../../packages/cli/bin/meanwhile.js");

const inDirectory = (name: string): string => join(process.env["BENCH_DIR"] ?? "", name);
const urls = (): string[] => Array.from({ length: URLS }, (_, index) => `${process.env["BENCH_URL"]}files/${index}`);

/** A shell line, so that what is printed goes to a file and not through the harness. */
function toFile(args: readonly string[], file: string): Command {
  return ["sh", "-c", 'file="$1"; shift; exec "$@" > "$file"', "sh", inDirectory(file), ...args];
}

/** Where the bodies go. */
type Bodies = "thrown away" | "to files";

function curl(bodies: Bodies, more: readonly string[]): Command {
  const output = (index: number): string => (bodies === "to files" ? inDirectory(`bodies/${index}`) : "/dev/null");
  const list = inDirectory("curl-list");
  writeFileSync(
    list,
    urls()
      .map((url, index) => `url = "${url}"\noutput = "${output(index)}"\n`)
      .join(""),
  );
  rmSync(inDirectory("bodies"), { recursive: true, force: true });
  const options = ["-q", "--silent", "-Z", "--parallel-max", String(AT_ONCE), "--create-dirs", ...more];
  return toFile(["curl", ...options, "-K", list], "records");
}

function meanwhile(bodies: Bodies): Command {
  const list = inDirectory("list");
  writeFileSync(list, `${urls().join("\n")}\n`);
  rmSync(inDirectory("bodies"), { recursive: true, force: true });
  const limits = ["-c", String(AT_ONCE), "--per-host", String(AT_ONCE)];
  const output = bodies === "to files" ? ["-o", inDirectory("bodies")] : [];
  const node = [process.execPath, "--conditions=@meanwhile/source"];
  return toFile([...node, MEANWHILE, "fetch", "-q", "-i", list, ...limits, ...output], "records");
}

const rate = (_: string, seconds: number): Measured => ({ rate: URLS / seconds });

/** For programs that promise a record for each URL. */
function rateWithRecords(stdout: string, seconds: number): Measured {
  const records = readFileSync(inDirectory("records"), "utf8").split("\n").length - 1;
  if (records !== URLS) throw new Error(`there are ${records} records of ${URLS} URLs`);
  return rate(stdout, seconds);
}

const CURL = { kind: "command", version: ["curl", "--version"], install: "apt-get install curl" } as const;
const OURS = {
  kind: "command",
  version: [process.execPath, "--conditions=@meanwhile/source", MEANWHILE, "--version"],
  install: "npm ci",
  ours: true,
  measured: rateWithRecords,
} as const;

const peers: CommandPeer[] = [
  { ...CURL, name: "curl -Z", command: () => curl("thrown away", []), measured: rate },
  {
    ...CURL,
    name: "curl -Z, JSON lines",
    command: () => curl("thrown away", ["-w", "%{json}\\n"]),
    measured: rateWithRecords,
  },
  { ...OURS, name: "meanwhile fetch", command: () => meanwhile("thrown away") },
  { ...CURL, name: "curl -Z, to files", command: () => curl("to files", []), measured: rate },
  { ...OURS, name: "meanwhile fetch, to files", command: () => meanwhile("to files") },
];

export const row: Row = {
  name: "fetch",
  title: "meanwhile fetch: 20 000 URLs, 100 at a time, nginx on loopback",
  about:
    "The whole command from its start to its end, with a list of 20 000 different URLs of 1.6 kB each in a file. " +
    "Bodies are thrown away, or each is saved as a file of its own. meanwhile always prints a line of JSON for each URL, which is counted; " +
    "curl prints nothing, and in one more row as many lines.",
  figures: [{ key: "rate", label: "URLs/s", better: "more" }],
  server: nginx,
  peers,
  targets: [
    { ours: "meanwhile fetch", beside: "curl -Z", figure: "rate", compares: "speed", limit: 1 },
    { ours: "meanwhile fetch, to files", beside: "curl -Z, to files", figure: "rate", compares: "speed", limit: 1 },
  ],
};
