// Keeps two processes from using one file at a time: NAME.lock holds the id of the process that uses NAME, and when it
// was started where the system says that: ids are used again. Its second line is the file that says how far it has come:
// a lock that a killed process has left is taken over only by one that goes on by the same file.

import { existsSync, linkSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from "node:fs";

import { CommandError, EXIT, startError, systemCodeOf } from "../errors.ts";

/** Others may take the lock, or remove a stale one, between two tries; that does not happen often in a row. */
const MOST_TRIES = 20;

interface Holder {
  /** 0 for a file in which no process stands. */
  readonly pid: number;
  /** When it was started; empty where that is not known. */
  readonly startedAt: string;
  readonly journal: string;
}

export class LockFile implements Disposable {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /**
   * Takes the lock of a file. A lock whose process is gone, as after `kill -9`, is taken over.
   *
   * @param journal - what says how far this process has come
   * @throws {@link CommandError} with exit code 3 if another process has it, or had it and has not come to its end, or if
   * the file cannot be made
   */
  static take(file: string, journal: string = ""): LockFile {
    const path = `${file}.lock`;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      if (create(path, journal)) return new LockFile(path);
      const holder = holderOf(path);
      refuseUse(file, holder, journal);
      if (holder !== null) removeStale(path, holder);
    }
    throw new CommandError(EXIT.notStarted, `cannot lock "${path}": remove what is there`);
  }

  /**
   * Takes nothing, and is content if nobody has the lock.
   *
   * @throws {@link CommandError} as {@link take}
   */
  static check(file: string): void {
    refuseUse(file, holderOf(`${file}.lock`), "");
  }

  [Symbol.dispose](): void {
    if (holderOf(this.#path)?.pid === process.pid) unlinkSync(this.#path);
  }
}

function refuseUse(file: string, holder: Holder | null, journal: string): void {
  if (holder === null) return;
  if (isAlive(holder)) {
    throw new CommandError(EXIT.notStarted, `"${file}" is used by the process ${holder.pid}; wait for it, or end it`);
  }
  if (holder.journal === "" || holder.journal === journal || !existsSync(holder.journal)) return;
  const wayOut = `repeat that run first, or remove "${file}.lock"`;
  throw new CommandError(
    EXIT.notStarted,
    `"${file}" has records of a run with --state "${holder.journal}" that did not come to its end; ${wayOut}`,
  );
}

/** The lock is never there without what stands in it: it is written under another name. */
function create(path: string, journal: string): boolean {
  const fresh = `${path}.${process.pid}.new`;
  const text = `${process.pid} ${startOf(process.pid)}\n${journal === "" ? "" : `${journal}\n`}`;
  try {
    rmSync(fresh, { force: true });
    writeFileSync(fresh, text, { flag: "wx" });
    linkOrWrite(fresh, path, text);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "EEXIST") return false;
    throw startError(`cannot lock "${path}"`, error);
  } finally {
    rmSync(fresh, { force: true });
  }
}

function linkOrWrite(fresh: string, path: string, text: string): void {
  try {
    linkSync(fresh, path);
  } catch (error) {
    if (!NO_LINKS.has(systemCodeOf(error))) throw error;
    writeFileSync(path, text, { flag: "wx" });
  }
}

/** What a file system says that has no second names. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EMLINK"]);

/** The process that has the lock; null if there is none any more. */
function holderOf(path: string): Holder | null {
  try {
    const [process = "", ...journal] = readFileSync(path, "utf8").split("\n");
    const [, digits = "0", startedAt = ""] = /^(\d{1,10})(?: (\d{0,20}))?$/.exec(process) ?? [];
    return { pid: Number(digits), startedAt, journal: journal.slice(0, -1).join("\n") };
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return null;
    throw startError(`cannot read "${path}"`, error);
  }
}

function isAlive({ pid, startedAt }: Holder): boolean {
  // After a restart of a container the id may be ours again.
  if (pid === 0 || pid === process.pid) return false;
  const now = startOf(pid);
  if (startedAt !== "" && now !== "" && startedAt !== now) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === "EPERM";
  }
}

/** When a process was started, in ticks of the system's clock; empty where the system does not say it. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name of the program may hold spaces and brackets; the 20th field behind it is the time.
    return /^\d+$/.exec(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "")?.[0] ?? "";
  } catch {
    return "";
  }
}

/** Moves the lock aside before it is removed: what somebody else has put there meanwhile is put back. */
function removeStale(path: string, holder: Holder): void {
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return;
    throw startError(`cannot lock "${path}"`, error);
  }
  const found = holderOf(aside);
  if (found?.pid !== holder.pid || found.startedAt !== holder.startedAt) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (systemCodeOf(error) !== "EEXIST") throw startError(`cannot lock "${path}"`, error);
    }
  }
  unlinkSync(aside);
}
