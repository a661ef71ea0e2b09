// Starts one peer in a child process of its own and reads what it measured.

import { execFile, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";

import { highWaterMb } from "./measuring.ts";
import type { Command, Measured, Peer, Row } from "./row.ts";

const BENCH = join(import.meta.dirname, "..");
const PYTHON = process.env["BENCH_PYTHON"] ?? "/usr/bin/python3";
const CHILD = join(import.meta.dirname, "child.ts");
const MOST_OUTPUT = 2 ** 26;
const LOOK_EVERY_MS = 50;

const start = promisify(execFile);

/** Why the peer cannot be measured on this machine, with the remedy; null if it can. */
export function missing(peer: Peer): string | null {
  if (peer.kind === "node") {
    return peer.packages.every(isInstalled) ? null : `needs ${peer.packages.join(", ")}: npm ci`;
  }
  if (versions(peer) !== null) return null;
  if (peer.kind === "command") return peer.install;
  const packages = ["python3", ...peer.modules.map((name) => `python3-${name}`)].join(" ");
  return `needs ${PYTHON}, or that in BENCH_PYTHON, with its modules: apt-get install ${packages}`;
}

/** Versions of what the peer is made of; null if it is not there. */
export function versions(peer: Peer): string | null {
  if (peer.kind === "command") return firstLine(peer.version);
  if (peer.kind === "python") return firstLine(pythonVersion(peer.modules));
  return peer.packages.length === 0 ? `node ${process.versions.node}` : peer.packages.map(packageVersion).join(", ");
}

/** Does the work once, in a new process. */
export async function measureOnce(row: Row, peer: Peer): Promise<Measured> {
  const [command, ...args] = commandOf(row, peer);
  const startedAt = performance.now();
  const running = start(command, args, { cwd: BENCH, maxBuffer: MOST_OUTPUT, env: childEnvironment() });
  using memory = watchMemory(running.child.pid);
  const { stdout } = await running;
  const seconds = (performance.now() - startedAt) / 1000;
  if (peer.kind === "command") return { ...memory.figures(), ...peer.measured(stdout, seconds) };
  const measured: unknown = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  if (!isMeasured(measured)) throw new Error(`${peer.name} prints no figures: ${stdout}`);
  return measured;
}

// A command does not tell its peak memory. The high-water mark of Linux is read while it runs; other systems go without.
function watchMemory(pid: number | undefined): Disposable & { figures(): Measured } {
  let peakMb: number | null = null;
  const timer = setInterval(() => {
    peakMb = highWaterMb(pid) ?? peakMb;
  }, LOOK_EVERY_MS);
  return {
    figures: () => (peakMb === null ? {} : { peakMb }),
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function commandOf(row: Row, peer: Peer): Command {
  if (peer.kind === "node") {
    const hook = peer.instrumented === true ? ["--import", "@meanwhile/instrument/register"] : [];
    const sources = row.isBuilt === true ? [] : ["--conditions=@meanwhile/source"];
    return [process.execPath, ...sources, ...hook, CHILD, row.name, peer.name];
  }
  if (peer.kind === "python") return [PYTHON, join(BENCH, "python", peer.script), ...(peer.args ?? [])];
  return peer.command();
}

// Options that the shell or npm gave to this process are not the peers'.
function childEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...rest } = process.env;
  return { ...rest, PYTHONDONTWRITEBYTECODE: "1" };
}

function isMeasured(value: unknown): value is Measured {
  return typeof value === "object" && value !== null && Object.values(value).every(Number.isFinite);
}

function isInstalled(name: string): boolean {
  try {
    import.meta.resolve(name);
    return true;
  } catch {
    return false;
  }
}

function packageVersion(name: string): string {
  const file = findPackageJSON(name, import.meta.url);
  const described: unknown = file === undefined ? null : JSON.parse(readFileSync(file, "utf8"));
  if (typeof described !== "object" || described === null || !("version" in described)) return name;
  return `${name} ${String(described.version)}`;
}

function pythonVersion(modules: readonly string[]): Command {
  const parts = modules.map((name) => `import ${name}; text += ", ${name} " + ${name}.__version__`);
  const code = ["import platform; text = 'CPython ' + platform.python_version()", ...parts, "print(text)"].join("\n");
  return [PYTHON, "-c", code];
}

/** The first line that the command prints; null if it cannot be run. */
function firstLine([command, ...args]: Command): string | null {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8" });
  // wrk prints its version and ends with 1.
  if (error !== undefined || (status !== 0 && stdout === "")) return null;
  return (stdout || stderr).split("\n")[0]?.trim() ?? null;
}
