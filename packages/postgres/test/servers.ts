// A real PostgreSQL for the tests of a file: one, shared, gone when the file ends.
//
// MEANWHILE_TEST_POSTGRES_BIN is a folder with `initdb` and `postgres` of another version: all tests run on that one then.

import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { findBinaries } from "../src/embedded-binaries.ts";
import { readPostmaster } from "../src/embedded-data.ts";
import { createDirectory, removeDirectory, sweep } from "../src/embedded-directory.ts";
import { type Identity, identityFor } from "../src/embedded-identity.ts";
import { supervise, type Supervised } from "../src/embedded-supervisor.ts";

/** How a server is to be. */
export interface TestServerOptions {
  /** Settings as in `postgresql.conf`, like `{ max_connections: "20" }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** All lines of `pg_hba.conf`. Default: trust everybody. */
  readonly hba?: string;
  /** Files written into the data directory first, with mode 0600: certificates and keys. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

/** A running server with the superuser `postgres` and the database `postgres`. */
export interface TestServer extends AsyncDisposable {
  /** Over the Unix socket. */
  readonly dsn: string;
  /** Over 127.0.0.1. */
  readonly tcpDsn: string;
  /** The directory of the Unix socket: what `host` is. */
  readonly host: string;
  /** Both of the Unix socket and of 127.0.0.1. */
  readonly port: number;
  readonly dataDir: string;
  /** Like 18. */
  readonly majorVersion: number;
  /** The postmaster. */
  readonly pid: number;
  /** `fast` ends sessions with 57P01, `immediate` as a crash does. The data stays. */
  stop(mode?: "fast" | "immediate"): Promise<void>;
  /** Starts it after `stop()`, at the same addresses. */
  start(): Promise<void>;
  restart(mode?: "fast" | "immediate"): Promise<void>;
}

let shared: Promise<TestServer> | null = null;
const all = new Set<TestServer>();
after(() => Promise.all([...all].map((server) => server[Symbol.asyncDispose]())));

/** The server of this test file: made by the first call, the same for all later ones, ended after the last test. */
export function startServer(): Promise<TestServer> {
  shared ??= startOwnServer();
  return shared;
}

/** A server of one's own: to be stopped, or with other settings. */
export async function startOwnServer(options: TestServerOptions = {}): Promise<TestServer> {
  const identity = identityFor(null);
  const directory = await createDirectory(identity);
  await sweep(identity); // of test files that were killed
  // The user it runs as may not reach the folder that this package is in.
  const { binDir } = await findBinaries(process.env["MEANWHILE_TEST_POSTGRES_BIN"], identity, directory);
  const server = new Server({ directory, binDir, identity, port: await freePort() });
  server.initialise(options);
  all.add(server);
  await server.start();
  return server;
}

interface ServerParts {
  readonly directory: string;
  readonly binDir: string;
  readonly identity: Identity;
  readonly port: number;
}

class Server implements TestServer {
  readonly #directory: string;
  readonly #identity: Identity;
  readonly #binDir: string;
  #settings: Readonly<Record<string, string>> = {};
  #running: Supervised | null = null;
  readonly dsn: string;
  readonly tcpDsn: string;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  majorVersion = 0;
  pid = 0;

  constructor({ directory, binDir, identity, port }: ServerParts) {
    this.#directory = directory;
    this.#binDir = binDir;
    this.#identity = identity;
    this.host = directory;
    this.port = port;
    this.dataDir = join(directory, "data");
    this.dsn = `postgresql://postgres@${encodeURIComponent(directory)}:${port}/postgres`;
    this.tcpDsn = `postgresql://postgres@127.0.0.1:${port}/postgres`;
  }

  initialise({ settings = {}, hba, files = {} }: TestServerOptions): void {
    const args = ["-D", this.dataDir, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"];
    const options = { ...this.#identity, cwd: "/", encoding: "utf8" } as const;
    const made = spawnSync(join(this.#binDir, "initdb"), args, options);
    if (made.status !== 0) throw new Error(`initdb ends with ${made.status}: ${made.stderr}`, { cause: made.error });
    this.majorVersion = Number(readFileSync(join(this.dataDir, "PG_VERSION"), "utf8"));
    for (const [name, content] of Object.entries(files)) this.#write(name, content);
    if (hba !== undefined) this.#write("pg_hba.conf", hba);
    this.#settings = {
      listen_addresses: "127.0.0.1",
      port: String(this.port),
      unix_socket_directories: this.#directory,
      fsync: "off",
      synchronous_commit: "off",
      full_page_writes: "off",
      ...settings,
    };
  }

  #write(name: string, content: string | Uint8Array): void {
    const { uid, gid } = this.#identity;
    writeFileSync(join(this.dataDir, name), content, { mode: 0o600 });
    if (uid !== undefined) chownSync(join(this.dataDir, name), uid, gid ?? uid);
  }

  async start(): Promise<void> {
    const directory = mkdtempSync(join(this.#directory, "run-"));
    const { uid, gid } = this.#identity;
    if (uid !== undefined) chownSync(directory, uid, gid ?? uid);
    const settings = Object.entries(this.#settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const command = [join(this.#binDir, "postgres"), "-D", this.dataDir, ...settings] as const;
    const running = await supervise({ directory, command, identity: this.#identity, shared: false });
    this.#running = running;
    const ended = running.ended.then((output) => {
      throw new Error(`postgres ends instead of starting: ${output}`);
    });
    ended.catch(() => {});
    while (readPostmaster(this.dataDir)?.isReady !== true) await Promise.race([ended, pause(5)]);
    this.pid = readPostmaster(this.dataDir)?.pid ?? 0;
  }

  async stop(mode: "fast" | "immediate" = "fast"): Promise<void> {
    const running = this.#running;
    this.#running = null;
    if (running === null) return;
    // Without a number it has not started, and has ended.
    if (this.pid > 0) process.kill(this.pid, mode === "fast" ? "SIGINT" : "SIGQUIT");
    await running.waitForEnd();
  }

  async restart(mode?: "fast" | "immediate"): Promise<void> {
    await this.stop(mode);
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    all.delete(this);
    await this.stop("immediate");
    await removeDirectory(this.#directory);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}
