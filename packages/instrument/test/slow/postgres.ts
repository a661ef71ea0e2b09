// meanwhile:off file
// A PostgreSQL of its own for a test: on a socket in a folder of its own, gone at the end. Root may not run one: then it runs
// as the user `postgres`, if there is one.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const START_MS = 20_000;

/** A database server that was started for a test. */
export class Postgres implements AsyncDisposable {
  readonly #server: ChildProcess;
  readonly #kill = (): void => void this.#server.kill("SIGKILL");
  /** Where its socket lies: the `host` of a client. */
  readonly folder: string;
  readonly user = "postgres";

  private constructor(server: ChildProcess, folder: string) {
    this.#server = server;
    this.folder = folder;
    process.on("exit", this.#kill);
  }

  /** Starts one; or says why there is none. */
  static async start(): Promise<Postgres | string> {
    const programs = programsFolder();
    if (programs === null) return "there is no initdb and postgres on this machine";
    const identity = unprivileged();
    if (identity === null) return "root may not run postgres, and there is no user postgres";
    const folder = mkdtempSync(join(tmpdir(), "pg-"));
    if (identity.uid !== undefined) chownSync(folder, identity.uid, identity.gid ?? 0);
    const data = join(folder, "data");
    const options = { ...identity, cwd: folder, stdio: "ignore" } as const;
    try {
      execFileSync(join(programs, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], options);
    } catch (error) {
      rmSync(folder, { recursive: true });
      return `initdb fails: ${String(error)}`;
    }
    const settings = ["listen_addresses=", `unix_socket_directories=${folder}`, "fsync=off"];
    const args = ["-D", data, ...settings.flatMap((setting) => ["-c", setting])];
    const postgres = new Postgres(spawn(join(programs, "postgres"), args, options), folder);
    if (await postgres.#isReady()) return postgres;
    await postgres[Symbol.asyncDispose]();
    return "postgres does not start";
  }

  async #isReady(): Promise<boolean> {
    const until = performance.now() + START_MS;
    while (performance.now() < until && this.#server.exitCode === null) {
      if (existsSync(join(this.folder, ".s.PGSQL.5432"))) return true;
      await wait(20);
    }
    return false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.exitCode === null && this.#server.signalCode === null) {
      const exit = once(this.#server, "exit");
      // Sessions that are ending end; those that were forgotten are ended.
      this.#server.kill("SIGTERM");
      const forgotten = setTimeout(() => this.#server.kill("SIGINT"), 2_000);
      await exit;
      clearTimeout(forgotten);
    }
    process.off("exit", this.#kill);
    rmSync(this.folder, { recursive: true });
  }
}

function programsFolder(): string | null {
  const folders = [
    ...(process.env["PATH"] ?? "").split(delimiter),
    ...globSync("/usr/lib/postgresql/*/bin").toSorted().toReversed(),
  ];
  return folders.find((folder) => ["initdb", "postgres"].every((name) => existsSync(join(folder, name)))) ?? null;
}

function unprivileged(): { readonly uid?: number; readonly gid?: number } | null {
  if (process.getuid?.() !== 0) return {};
  try {
    const id = (flag: string): number => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" }));
    return { uid: id("-u"), gid: id("-g") };
  } catch {
    return null;
  }
}
