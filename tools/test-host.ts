// Runs the core's tests on another host than the one in use: `node tools/test-host.ts bun|deno|node24`.
// Prints one line, or everything when a test fails. Test files a host cannot run are rows of compat/hosts.md.

import { spawnSync } from "node:child_process";
import { mkdtempDisposableSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { filesMatching, report } from "./source.ts";

const TESTS = "packages/meanwhile/test";
const TABLE = "compat/hosts.md";
const CONDITION = "--conditions=@meanwhile/source";
/** A host takes seconds; a test that hangs on one must fail and not hold everything up. */
const TIMEOUT_MS = 300_000;

interface Host {
  readonly command: string;
  readonly args: ReadonlyArray<string>;
  /** Finds the number of tests that passed in what the host prints. */
  readonly passed: RegExp;
  /** How many files it is given in place of all, each of which loads its share: one that loads everything anew for each. */
  readonly groups?: number;
}

const HOSTS: Readonly<Record<string, Host>> = {
  // The script of compat/node24 calls this: npm puts that workspace's Node first, so `node` is Node 24 there.
  node24: {
    command: "node",
    args: [CONDITION, "--import", "./tools/test-setup.ts", "--test", "--test-timeout=120000", "--test-concurrency=2"],
    passed: /^ℹ pass (\d+)$/m,
  },
  bun: { command: "bun", args: ["test", "--timeout=120000", CONDITION], passed: /^ *(\d+) pass$/m },
  deno: {
    command: "deno",
    args: ["test", "--parallel", CONDITION, "-A", "--no-check", "--no-lock"],
    passed: /\| (\d+) passed/,
    groups: 2,
  },
};

function excluded(host: string, files: ReadonlyArray<string>): Set<string> {
  const rows = readFileSync(TABLE, "utf8").matchAll(/^\| *(\w+) *\| `([^`]+)` *\| *(\S.*?) *\|$/gm);
  const names = Array.from(rows).flatMap(([, name, file = ""]) => (name === host ? [`${TESTS}/${file}`] : []));
  for (const name of names) if (!files.includes(name)) fail(`${TABLE} leaves out ${name}, which is not there`);
  return new Set(names);
}

function fail(problem: string): never {
  console.error(problem);
  process.exit(1);
}

const [, , name = ""] = process.argv;
const host = HOSTS[name];
if (host === undefined) fail(`Cannot test on "${name}": the hosts are ${Object.keys(HOSTS).join(", ")}`);
const all = filesMatching(`${TESTS}/**/*.test.ts`).filter((file) => !/\/test\/(slow|types)\//.test(file));
const out = excluded(name, all);
const files = all.filter((file) => !out.has(file)).map((file) => `./${file}`);
if (files.length === 0) fail(`No test files in ${TESTS}`);

using folder = mkdtempDisposableSync(join(tmpdir(), "meanwhile-host-"));
const given = host.groups === undefined ? files : grouped(host.groups);

function grouped(groups: number): string[] {
  return Array.from({ length: groups }, (_, group) => {
    const share = files.filter((_file, index) => index % groups === group);
    const path = join(folder.path, `group-${group}.test.ts`);
    writeFileSync(path, share.map((file) => `import "${pathToFileURL(file).href}";\n`).join(""));
    return path;
  });
}

// Without colours, so that the count can be read; without our own NODE_OPTIONS, which not every host understands.
const env = { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1", FORCE_COLOR: "0" };
const { status, stdout, stderr, error } = spawnSync(host.command, [...host.args, ...given], {
  encoding: "utf8",
  env,
  timeout: TIMEOUT_MS,
  killSignal: "SIGKILL",
});
const output = `${stdout ?? ""}${stderr ?? ""}`;
const passed = Number(host.passed.exec(output)?.[1] ?? 0);
if (status !== 0 || passed === 0) {
  report(`${output}\n${name}: the tests of the core fail (${error?.message ?? `exit code ${status}`})`);
} else console.log(`${name}: ${passed} tests pass in ${files.length} files, ${out.size} files left out`);
