import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";

import { run, timeout } from "meanwhile";

import { expectWarning } from "../../../tools/test-setup.ts";
import type { ConnectOptions } from "../src/connect-options.ts";
import { settleConnect } from "../src/connect-settings.ts";
import { ConnectError } from "../src/errors.ts";
import type { Link } from "../src/link.ts";
import { openLink } from "../src/open-link.ts";
import { FetchValue } from "../src/query.ts";
import { Script } from "../src/script.ts";
import { startOwnServer, startServer, type TestServer } from "./servers.ts";

const fixture = (name: string): string => new URL(`fixtures/${name}`, import.meta.url).pathname;
const CA = readFileSync(fixture("ca.pem"));

const HBA = `
local all postgres trust
hostssl all "meanwhile test client" 127.0.0.1/32 cert
hostnossl all plain 127.0.0.1/32 scram-sha-256
hostssl all plain 127.0.0.1/32 reject
hostssl all secure 127.0.0.1/32 scram-sha-256
host all md5 127.0.0.1/32 md5
host all clear 127.0.0.1/32 password
host all postgres 127.0.0.1/32 trust
`;

let secured: Promise<TestServer> | null = null;

/** A server that speaks TLS and wants passwords. */
function startSecured(): Promise<TestServer> {
  secured ??= (async () => {
    const files = {
      "server.crt": readFileSync(fixture("server.pem")),
      "server.key": readFileSync(fixture("server.key")),
      "root.crt": CA,
    };
    const server = await startOwnServer({ hba: HBA, files, settings: { ssl: "on", ssl_ca_file: "root.crt" } });
    await run(async () => {
      const link = await openLink(settleConnect(server.dsn));
      await link.run(
        new Script(`
          create role "meanwhile test client" login; create role plain login password 'pa:ss@w/rd';
          create role secure login password 'secret'; create role clear login password 'secret';
          set password_encryption = 'md5'; create role md5 login password 'secret';`),
      );
      await link.close();
    });
    return server;
  })();
  return secured;
}

/** Connects, looks, and leaves. */
async function visit<T>(options: ConnectOptions, look: (link: Link) => Promise<T> | T): Promise<T> {
  return await run(async () => {
    const link = await openLink(settleConnect(options));
    try {
      return await look(link);
    } finally {
      await link.close();
    }
  });
}

const value = <T>(text: string, ...args: unknown[]): FetchValue<T> => new FetchValue<T>(text, args);
const IS_SECURE = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
const isSecure = (link: Link): Promise<boolean | undefined> => link.run(value<boolean>(IS_SECURE));

const silent: Server[] = [];
const sockets = new Set<Socket>();
after(() => {
  for (const server of silent) server.close();
  for (const socket of sockets) socket.destroy();
});

/** The port of a server that does what it is told with each connection. */
async function fakeServer(handle: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
    handle(socket);
  }).listen(0, "127.0.0.1");
  silent.push(server);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

describe("a connection", () => {
  it("is made over a Unix socket and over TCP", async () => {
    const server = await startServer();
    for (const dsn of [server.dsn, server.tcpDsn])
      assert.equal(await visit({ dsn }, (link) => link.run(value("select 1"))), 1);
  });

  it("says who it is, and has the settings that were asked for", async () => {
    const { tcpDsn: dsn } = await startServer();
    const options = {
      dsn,
      applicationName: "tests",
      serverSettings: { search_path: '"a b", c' },
      statementTimeoutMs: 1_234,
    };
    await visit(options, async (link) => {
      assert.equal(await link.run(value("show application_name")), "tests");
      assert.equal(await link.run(value("show search_path")), '"a b", c');
      assert.equal(await link.run(value("show statement_timeout")), "1234ms");
      assert.match(String(await link.run(value("show datestyle"))), /^ISO/);
    });
  });

  it("logs in with each way of checking passwords", async () => {
    const { port } = await startSecured();
    for (const user of ["secure", "clear", "md5"]) {
      const options = { host: "127.0.0.1", port, user, database: "postgres", password: async () => "secret" };
      assert.equal(await visit(options, (link) => link.run(value("select current_user::text"))), user);
    }
  });

  it("says that a password is wrong, or missing, and shows none", async () => {
    const { port } = await startSecured();
    const dsn = `postgresql://secure:wrongsecret@127.0.0.1:${port}/postgres`;
    await assert.rejects(
      visit({ dsn }, () => {}),
      (error: ConnectError) => {
        assert.ok(error instanceof ConnectError);
        assert.equal(error.code, "MW_ERR_PG_AUTH");
        assert.equal(error.sqlstate, "28P01");
        assert.equal(error.server, `127.0.0.1:${port}/postgres`);
        assert.doesNotMatch(`${error.stack}${JSON.stringify(error)}${String(error.cause)}`, /wrongsecret/);
        return true;
      },
    );
    const passfile = "/nowhere";
    for (const password of [undefined, async () => Promise.reject(new TypeError("no vault"))]) {
      const options = { host: "127.0.0.1", port, user: "secure", database: "postgres", password, passfile };
      await assert.rejects(
        visit(options, () => {}),
        { code: "MW_ERR_PG_AUTH" },
      );
    }
  });

  it("takes the password from a file that nobody else can read", async () => {
    const { port } = await startSecured();
    const directory = mkdtempSync(join(tmpdir(), "mw-pg-pass-"));
    const passfile = join(directory, "pass");
    try {
      writeFileSync(passfile, `# ours\n127.0.0.1:1:*:secure:wrong\n127.0.0.1:${port}:*:secure:secret\n`);
      chmodSync(passfile, 0o600);
      const options = { host: "127.0.0.1", port, user: "secure", database: "postgres", passfile };
      assert.equal(await visit(options, (link) => link.run(value("select 1"))), 1);
      chmodSync(passfile, 0o644);
      await using _warnings = expectWarning("MW_WARN_PG_PASSFILE");
      await assert.rejects(
        visit(options, () => {}),
        { code: "MW_ERR_PG_AUTH" },
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("uses TLS if the server speaks it, and does without if the server wants that", async () => {
    const { port } = await startSecured();
    const plain = { host: "127.0.0.1", port, user: "plain", database: "postgres", password: "pa:ss@w/rd" };
    assert.equal(await visit({ dsn: `postgresql://postgres@127.0.0.1:${port}/postgres` }, isSecure), true);
    assert.equal(await visit(plain, isSecure), false);
    assert.equal(await visit({ ...plain, ssl: "allow" }, isSecure), false);
    assert.equal(await visit({ ...plain, user: "secure", password: "secret", ssl: "allow" }, isSecure), true);
    await assert.rejects(
      visit({ ...plain, ssl: "require" }, () => {}),
      { code: "MW_ERR_PG_AUTH", sqlstate: "28000" },
    );
    const { tcpDsn } = await startServer();
    assert.equal(await visit({ dsn: tcpDsn }, isSecure), false);
    await assert.rejects(
      visit({ dsn: tcpDsn, ssl: "require" }, () => {}),
      { code: "MW_ERR_PG_TLS" },
    );
  });

  it("checks who the server is, as far as it is asked to", async () => {
    const { port, majorVersion } = await startSecured();
    const options = { host: "127.0.0.1", port, user: "postgres", database: "postgres" };
    assert.equal(await visit({ ...options, ssl: { ca: CA } }, isSecure), true);
    if (majorVersion >= 17) assert.equal(await visit({ ...options, ssl: { ca: CA }, directTls: true }, isSecure), true);
    assert.equal(
      await visit(
        { dsn: `host=127.0.0.1 port=${port} user=postgres sslmode=verify-ca sslrootcert=${fixture("ca.pem")}` },
        isSecure,
      ),
      true,
    );
    await assert.rejects(
      visit({ ...options, ssl: "verify-full" }, () => {}),
      { code: "MW_ERR_PG_TLS" },
    );
    await assert.rejects(
      visit({ ...options, host: "wrong.test", ssl: { ca: CA }, dsn: `hostaddr=127.0.0.1` }, () => {}),
      { code: "MW_ERR_PG_DNS" },
    );
    await assert.rejects(
      visit({ dsn: `host=127.0.0.1 port=${port} user=postgres sslrootcert=system` }, () => {}),
      { code: "MW_ERR_PG_TLS" },
    );
    const other = `host=other.test hostaddr=127.0.0.1 port=${port} user=postgres sslrootcert=${fixture("ca.pem")}`;
    assert.equal(await visit({ dsn: `${other} sslmode=verify-ca` }, isSecure), true);
    await assert.rejects(
      visit({ dsn: `${other} sslmode=verify-full` }, () => {}),
      { code: "MW_ERR_PG_TLS" },
    );
  });

  it("proves who it is with a certificate", async () => {
    const { port } = await startSecured();
    const ssl = { ca: CA, cert: readFileSync(fixture("client.pem")), key: readFileSync(fixture("client.key")) };
    const options = { host: "127.0.0.1", port, user: "meanwhile test client", database: "postgres", ssl };
    assert.equal(await visit(options, (link) => link.run(value("select current_user::text"))), "meanwhile test client");
    await assert.rejects(
      visit({ ...options, ssl: { ca: CA } }, () => {}),
      { code: "MW_ERR_PG_AUTH" },
    );
  });

  it("binds the login to the certificate of the server, and insists on it if it is told to", async () => {
    const { port } = await startSecured();
    const dsn = (user: string): string =>
      `postgresql://${user}:secret@127.0.0.1:${port}/postgres?channel_binding=require`;
    assert.equal(await visit({ dsn: dsn("secure") }, isSecure), true);
    for (const user of ["md5", "clear", "postgres"]) {
      await assert.rejects(
        visit({ dsn: dsn(user) }, () => {}),
        { code: "MW_ERR_PG_AUTH", message: /channel binding/ },
      );
    }
  });

  it("sends nothing to a server that cannot bind the login, if it is told to insist", async () => {
    let heard = 0;
    const port = await fakeServer((socket) => {
      socket.on("data", () => {
        heard += 1;
        socket.write("R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0");
      });
    });
    const dsn = `postgresql://secure:secret@127.0.0.1:${port}/postgres?channel_binding=require&sslmode=disable`;
    await assert.rejects(
      visit({ dsn }, () => {}),
      { code: "MW_ERR_PG_AUTH", message: /channel binding/ },
    );
    assert.equal(heard, 1);
  });

  it("ends a statement over TLS as well", async () => {
    const { port } = await startSecured();
    await visit({ dsn: `postgresql://secure:secret@127.0.0.1:${port}/postgres` }, async (link) => {
      assert.equal(await isSecure(link), true);
      await assert.rejects(
        timeout(20, () => link.run(value("select 1 from pg_sleep(20)"))),
        { code: "MW_ERR_TIMEOUT" },
      );
      assert.equal(link.status, "idle");
      assert.equal(await link.run(value("select 1")), 1);
    });
  });

  it("tries several servers in turn, and takes one that is as it should be", async () => {
    const { port } = await startServer();
    const nobody = await fakeServer((socket) => socket.destroy());
    const hosts = { host: ["127.0.0.1", "127.0.0.1"], port: [nobody, port], user: "postgres", database: "postgres" };
    for (const targetSessionAttrs of ["any", "primary", "read-write", "prefer-standby"] as const) {
      assert.equal(await visit({ ...hosts, targetSessionAttrs }, (link) => link.run(value("select 1"))), 1);
    }
    for (const targetSessionAttrs of ["standby", "read-only"] as const) {
      await assert.rejects(
        visit({ ...hosts, targetSessionAttrs }, () => {}),
        { code: "MW_ERR_PG_TARGET" },
      );
    }
  });

  it("says of each of several servers what is wrong with it", async () => {
    const host = Array.from({ length: 8 }, () => "127.0.0.1");
    const options = { host, port: [1, 2, 3, 4, 5, 6, 7, 8], user: "u", database: "shop", ssl: "disable" } as const;
    const error: unknown = await visit(options, () => {}).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ConnectError);
    assert.deepEqual([error.code, error.server], ["MW_ERR_PG_CONNECT", "127.0.0.1:8/shop"]);
    const lines = error.message.split("\n");
    assert.match(
      lines[0] ?? "",
      /^Cannot connect to 127\.0\.0\.1:8\/shop: the connection cannot be made \(ECONNREFUSED\)/,
    );
    assert.match(lines[1] ?? "", /^ {2}nor to 127\.0\.0\.1:1\/shop: the connection cannot be made \(ECONNREFUSED\)/);
    assert.deepEqual(lines.slice(6), ["  nor to 2 more"]);
    assert.ok(error.cause instanceof AggregateError);
    assert.deepEqual(
      error.cause.errors.map((one: unknown) => one instanceof ConnectError && one.server),
      options.port.map((port) => `127.0.0.1:${port}/shop`),
    );
  });

  it("is about one server if there is one, however often it was tried", async () => {
    const options = { host: ["127.0.0.1", "127.0.0.1"], port: [1, 1], targetSessionAttrs: "prefer-standby" } as const;
    const error: unknown = await visit(options, () => {}).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ConnectError);
    assert.ok(!error.message.includes("nor to"));
    assert.ok(!(error.cause instanceof AggregateError));
  });

  it("says what is wrong with the address, the server or the database", async () => {
    const { tcpDsn, host, port } = await startServer();
    await assert.rejects(
      visit({ host: "127.0.0.1", port: 1 }, () => {}),
      { code: "MW_ERR_PG_CONNECT", message: /ECONNREFUSED/ },
    );
    await assert.rejects(
      visit({ host: "/nowhere" }, () => {}),
      { code: "MW_ERR_PG_CONNECT", message: /ENOENT/ },
    );
    await assert.rejects(
      visit({ host: "nowhere.invalid" }, () => {}),
      { code: "MW_ERR_PG_DNS" },
    );
    await assert.rejects(
      visit({ host, port, user: "postgres", database: "none" }, () => {}),
      { code: "MW_ERR_PG_CONNECT", sqlstate: "3D000" },
    );
    await assert.rejects(
      visit({ dsn: tcpDsn, serverSettings: { nonsense: "1" } }, () => {}),
      { code: "MW_ERR_PG_CONNECT", sqlstate: "42704" },
    );
    const http = await fakeServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await assert.rejects(
      visit({ host: "127.0.0.1", port: http }, () => {}),
      { code: "MW_ERR_PG_PROTOCOL" },
    );
    const liar = await fakeServer((socket) => socket.end("R\0\0\0\x08\0\0\0\x99"));
    await assert.rejects(
      visit({ host: "127.0.0.1", port: liar, ssl: "disable" }, () => {}),
      ConnectError,
    );
  });

  it("is given up after connectTimeoutMs, and when its task is cancelled, and leaves no socket", async () => {
    const open = new Set<Socket>();
    const port = await fakeServer((socket) => {
      open.add(socket);
      socket.on("close", () => open.delete(socket)).resume();
    });
    for (const ssl of ["disable", "prefer"] as const) {
      const options = { host: "127.0.0.1", port, ssl };
      await assert.rejects(
        visit({ ...options, connectTimeoutMs: 20 }, () => {}),
        { code: "MW_ERR_PG_CONNECT_TIMEOUT" },
      );
      await assert.rejects(
        run(() => timeout(20, () => openLink(settleConnect(options)))),
        { code: "MW_ERR_TIMEOUT" },
      );
    }
    for (let tries = 0; open.size > 0; tries += 1) {
      assert.ok(tries < 10_000, "sockets are left");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  });

  it("finds the types of the user's making", async () => {
    const { dsn } = await startServer();
    await visit({ dsn }, (link) =>
      link.run(new Script("drop type if exists mood; create type mood as enum ('sad', 'happy')")),
    );
    await visit({ dsn, types: { mood: (text) => `very ${text}` } }, async (link) => {
      assert.equal(await link.run(value("select 'sad'::mood")), "very sad");
      assert.deepEqual(await link.run(value("select array['sad', 'happy']::mood[]")), ["very sad", "very happy"]);
      assert.equal(await link.run(value("select $1::mood", "happy")), "very happy");
    });
  });
});
