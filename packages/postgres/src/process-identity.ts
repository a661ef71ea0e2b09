// Which process a number means. Numbers are given out again, so that a number alone says little of a process that was.

import { spawnSync } from "node:child_process";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process of some machine, as it can be written into a file. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When it was started, in words of its system; empty where that cannot be told. */
  readonly started: string;
  /** Where its number means something: the machine, and the container. */
  readonly where: string;
}

/** This process. */
export function thisProcess(): ProcessIdentity {
  return { pid: process.pid, started: startOf(process.pid), where: here() };
}

/** Whether it still runs; null if that cannot be told from here, because it ran elsewhere. */
export function isRunning(one: ProcessIdentity): boolean | null {
  if (one.where !== here()) return null;
  return exists(one.pid) && startOf(one.pid) === one.started;
}

/** Whether there is a process of that number that has not ended, be it somebody else's. */
export function exists(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  // One that has ended and whose end nobody asks after, as it is in many a container, takes signals for ever.
  if (statOf(pid)?.startsWith("Z") === true) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** The command line of a process; empty if that cannot be told. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return ps(pid, "args=");
  }
}

function startOf(pid: number): string {
  const stat = statOf(pid);
  return stat === null ? ps(pid, "lstart=") : (stat.split(" ")[19] ?? "");
}

/** What Linux says of a process, from its state on; null where there is no such thing. */
function statOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program stands in parentheses and may hold anything.
    return stat.slice(stat.lastIndexOf(")") + 2);
  } catch {
    return null;
  }
}

function ps(pid: number, column: string): string {
  if (process.platform === "win32") return "";
  const { stdout } = spawnSync("ps", ["-o", column, "-p", String(pid)], { encoding: "utf8", env: { LC_ALL: "C" } });
  return (stdout ?? "").trim();
}

function here(): string {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return `${hostname()} ${boot} ${readlinkSync("/proc/self/ns/pid")}`;
  } catch {
    return hostname();
  }
}
