import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";

import type { ConnectOptions, ConnectSettled } from "../src/connect-options.ts";
import { settleConnect } from "../src/connect-settings.ts";
import { passwordIn } from "../src/credential-files.ts";
import { parseDsn } from "../src/dsn.ts";
import { environmentNamesServer, parametersOfEnvironment } from "../src/environment.ts";

const kept = { ...process.env };

beforeEach(() => {
  for (const name of Object.keys(process.env))
    if (/^PG|^DATABASE_URL$/.test(name)) Reflect.deleteProperty(process.env, name);
});
afterEach(() => {
  for (const name of Object.keys(process.env))
    if (!Object.hasOwn(kept, name)) Reflect.deleteProperty(process.env, name);
  Object.assign(process.env, kept);
});

/** Where it leads, in short. */
function whereTo(given: string | ConnectOptions = {}): string {
  const { servers, user, database }: ConnectSettled = settleConnect(given);
  const shown = servers.map(
    ({ host, port, address }) => `${host}${address === undefined ? "" : `=${address}`}:${port}`,
  );
  return `${user}@${shown.join(",")}/${database}`;
}

describe("a DSN", () => {
  it("is read as a URI", () => {
    const CASES: ReadonlyArray<readonly [dsn: string, expected: Record<string, string>]> = [
      ["postgresql://", {}],
      ["postgres://localhost", { host: "localhost" }],
      ["postgresql://user@h:5433/db", { user: "user", host: "h", port: "5433", dbname: "db" }],
      ["postgresql://us%40er:p%2Fa%3Ass@h/d%20b", { user: "us@er", password: "p/a:ss", host: "h", dbname: "d b" }],
      ["postgresql://user:p/a@ss@h/db", { user: "user", password: "p/a@ss", host: "h", dbname: "db" }],
      ["postgresql://[::1]:5433/db", { host: "::1", port: "5433", dbname: "db" }],
      ["postgresql://a:1,b,c:3/db", { host: "a,b,c", port: "1,,3", dbname: "db" }],
      ["postgresql://%2Ftmp%2Fdir:5433/db", { host: "/tmp/dir", port: "5433", dbname: "db" }],
      [
        "postgresql:///db?host=/tmp&port=5433&sslmode=require",
        { dbname: "db", host: "/tmp", port: "5433", sslmode: "require" },
      ],
      ["postgresql://h/db?search_path=a&ssl=true", { host: "h", dbname: "db", search_path: "a", sslmode: "true" }],
      ["postgresql://u:p#w@h/db#1?a=b#c", { user: "u", password: "p#w", host: "h", dbname: "db#1", a: "b#c" }],
      ["postgresql://h/db@x", { host: "h", dbname: "db@x" }],
      ["postgresql://h:5433/db@x", { host: "h", port: "5433", dbname: "db@x" }],
      ["postgresql://u:p@h/db@x", { user: "u", password: "p", host: "h", dbname: "db@x" }],
      ["postgresql://u:p@ss@h/db", { user: "u", password: "p@ss", host: "h", dbname: "db" }],
      ["postgresql:///db@x", { dbname: "db@x" }],
      ["postgresql://h/db?constructor=x", { host: "h", dbname: "db", constructor: "x" }],
    ];
    for (const [dsn, expected] of CASES) assert.deepEqual(parseDsn(dsn), expected, dsn);
  });

  it("is read as pairs", () => {
    assert.deepEqual(parseDsn("host=localhost port = 5433 password='it\\'s \\\\ me' dbname=my\\ db user=''"), {
      host: "localhost",
      port: "5433",
      password: "it's \\ me",
      dbname: "my db",
      user: "",
    });
  });

  it("is refused without showing anything of it", () => {
    for (const dsn of [
      "secret",
      "mysql://secret",
      "host=a secret",
      "postgresql://u:secret%@h",
      "postgresql://h/d?secret",
      "postgresql://a:b:c/d",
      "postgresql://u:secret@1/2@h/db",
      "postgresql://u:secret/1@h/db@x",
      "password='secret",
      "postgresql://h/secret%00options%00-c%20work_mem%3D77MB",
      "postgresql://h/d?application_name=secret%00options",
      "postgresql://h/d?secret%00options=x",
      "host=a dbname=secret\0options",
    ]) {
      assert.throws(
        () => parseDsn(dsn),
        (error: Error & { code?: string }) =>
          error.code === "MW_ERR_PG_INVALID_DSN" && !error.message.includes("secret"),
        dsn,
      );
    }
  });
});

describe("the settings of a connection", () => {
  it("come from the options, the DSN, the service and the environment, in that order", () => {
    const directory = mkdtempSync(join(tmpdir(), "mw-pg-service-"));
    try {
      process.env["PGSERVICEFILE"] = join(directory, "services");
      writeFileSync(
        process.env["PGSERVICEFILE"],
        "# ours\n[other]\nport=1\n[mine]\nhost = service\nport=2\nuser=su\n[more]\nhost=x\n",
      );
      process.env["PGHOST"] = "environment";
      process.env["PGUSER"] = "eu";
      process.env["PGDATABASE"] = "ed";
      process.env["PGPORT"] = "9";
      assert.equal(whereTo(), "eu@environment:9/ed");
      assert.equal(whereTo({ service: "mine" }), "su@service:2/ed");
      assert.equal(whereTo("postgresql://dsn/?service=mine"), "su@dsn:2/ed");
      assert.equal(whereTo({ dsn: "postgresql://u@dsn:3/d", host: "option", database: "od" }), "u@option:3/od");
      process.env["DATABASE_URL"] = "postgresql://url/urldb";
      assert.equal(whereTo(), "eu@url:9/urldb");
      assert.equal(whereTo({ host: "option" }), "eu@option:9/ed");
      assert.throws(() => settleConnect({ service: "none" }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
      process.env["PGSYSCONFDIR"] = directory;
      writeFileSync(join(directory, "pg_service.conf"), "[mine]\nhost=x\n[none]\nhost=common\n");
      assert.equal(whereTo({ service: "none" }), "eu@common:9/ed");
      assert.equal(whereTo({ service: "mine" }), "su@service:2/ed");
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("have the defaults of libpq", () => {
    const settled = settleConnect({ user: "me" });
    assert.equal(whereTo({ user: "me" }), "me@localhost:5432/me");
    assert.equal(settled.sslMode, "prefer");
    assert.deepEqual(settled.startup, { application_name: "meanwhile", DateStyle: "ISO" });
    assert.equal(settled.connectTimeoutMs, 10_000);
  });

  it("name several hosts, and addresses that are not looked up", () => {
    assert.equal(whereTo("postgresql://u@a:1,b,c:3/d"), "u@a:1,b:5432,c:3/d");
    assert.equal(whereTo({ host: ["a", "b"], port: 7, user: "u" }), "u@a:7,b:7/u");
    assert.equal(whereTo("host=a hostaddr=10.0.0.1 user=u"), "u@a=10.0.0.1:5432/u");
    process.env["PGHOSTADDR"] = "10.0.0.9";
    assert.equal(whereTo("postgresql://u@a"), "u@a:5432/u");
    assert.throws(() => settleConnect({ host: ["a", "b", "c"], port: [1, 2] }), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
  });

  it("send what they do not know to the server, as settings of the session", () => {
    const { startup } = settleConnect(
      "postgresql://h/d?search_path=mine&application_name=app&connect_timeout=3&options=-c%20a%3Db",
    );
    assert.deepEqual(startup, { search_path: "mine", application_name: "app", options: "-c a=b", DateStyle: "ISO" });
  });

  it("refuse what cannot be used, and show no value", () => {
    const WRONG: ReadonlyArray<ConnectOptions> = [
      { port: 0 },
      { port: 70_000 },
      { user: "" },
      { password: 5 as never },
      { ssl: "secret" as never },
      { ssl: null as never },
      { host: null as never },
      { host: {} as never },
      { host: ["a", 5] as never },
      { port: "0x10" as never },
      { port: "1e3" as never },
      { port: null as never },
      { dsn: "host=a port=0x10" },
      { serverSettings: { "a\0options": "-c secret=1" } },
      { serverSettings: { a: "b\0c" } },
      { serverSettings: { "": "secret" } },
      { dsn: "host=a scram_client_key=secret" },
      { dsn: "host=a scram_server_key=secret" },
      { dsn: "host=a oauth_client_secret=secret oauth_issuer=secret" },
      { dsn: "host=a sslkeylogfile=secret" },
      { connectTimeoutMs: 0 },
      { statementCacheSize: -1 },
      { pgBouncer: "yes" as never },
      { targetSessionAttrs: "secret" as never },
      { serverSettings: { a: 5 as never } },
      { dsn: "host=a sslrootcert=/nowhere" },
      { dsn: "host=a connect_timeout=soon" },
      { dsn: "host=a sslmode=constructor" },
      { dsn: "host=a sslnegotiation=secret" },
      { dsn: "host=a load_balance_hosts=secret" },
      { dsn: "host=a keepalives=secret" },
      { dsn: "host=a pgbouncer=secret" },
      { dsn: "host=a replication=database" },
    ];
    for (const options of WRONG) {
      assert.throws(
        () => settleConnect(options),
        (error: Error & { code?: string }) =>
          error.code === "MW_ERR_PG_INVALID_ARGUMENT" && !error.message.includes("secret"),
        JSON.stringify(options),
      );
    }
    assert.throws(() => settleConnect(5 as never), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
  });

  it("refuse what would make a connection safer and is not done here, wherever it was said", () => {
    const UNSAFE: ReadonlyArray<readonly [keyword: string, variable: string, value: string]> = [
      ["require_auth", "PGREQUIREAUTH", "scram-sha-256"],
      ["requirepeer", "PGREQUIREPEER", "postgres"],
      ["sslcrldir", "PGSSLCRLDIR", "/etc/lists"],
      ["gssencmode", "PGGSSENCMODE", "require"],
      ["sslcertmode", "PGSSLCERTMODE", "require"],
      ["min_protocol_version", "PGMINPROTOCOLVERSION", "3.2"],
    ];
    for (const [keyword, variable, value] of UNSAFE) {
      const refused = { code: "MW_ERR_PG_INVALID_ARGUMENT", message: new RegExp(`Cannot use '${keyword}'`) };
      assert.throws(() => settleConnect(`host=a ${keyword}=${value}`), refused);
      process.env[variable] = value;
      assert.throws(() => settleConnect("host=a"), refused);
      Reflect.deleteProperty(process.env, variable);
    }
    settleConnect("host=a gssencmode=prefer sslcertmode=allow sslnegotiation=postgres keepalives=1");
  });

  it("are never less safe than those of libpq", () => {
    const refuses = (given: string | ConnectOptions, message: RegExp): void =>
      assert.throws(() => settleConnect(given), { code: "MW_ERR_PG_INVALID_ARGUMENT", message });
    assert.equal(settleConnect("host=a sslrootcert=system").sslMode, "verify-full");
    for (const mode of ["disable", "allow", "prefer", "require", "verify-ca"])
      refuses(`host=a sslrootcert=system sslmode=${mode}`, /'sslrootcert' is "system".*verify-full/);
    for (const mode of ["disable", "allow", "prefer"])
      refuses(`host=a sslnegotiation=direct sslmode=${mode}`, /TLS is to begin at once.*pass require/);
    refuses("host=a sslnegotiation=direct", /TLS is to begin at once/);
    refuses({ host: "a", directTls: true }, /TLS is to begin at once/);
    refuses("host=a sslmode=verify-ca", /there is no root certificate/);
    assert.equal(settleConnect("host=/tmp sslmode=verify-ca").sslMode, "verify-ca");
    assert.equal(settleConnect({ host: "a", directTls: true, ssl: {} }).directTls, true);
    assert.equal(settleConnect("host=a sslnegotiation=direct sslmode=require").directTls, true);
    assert.equal(settleConnect("host=a requiressl=1").sslMode, "require");
    process.env["PGREQUIRESSL"] = "1";
    assert.equal(settleConnect("host=a").sslMode, "require");
    assert.equal(settleConnect("host=a sslmode=disable").sslMode, "disable");
    process.env["PGSSLROOTCERT"] = "system";
    refuses("host=a", /'sslrootcert' is "system"/);
    Reflect.deleteProperty(process.env, "PGREQUIRESSL");
    assert.equal(settleConnect("host=a").sslMode, "verify-full");
  });

  it("check the server with the root certificate that lies where libpq looks for it", () => {
    const home = mkdtempSync(join(tmpdir(), "mw-pg-home-"));
    try {
      process.env["HOME"] = home;
      assert.equal(settleConnect("host=a sslmode=require").tls.rejectUnauthorized, false);
      mkdirSync(join(home, ".postgresql"));
      copyFileSync(join(import.meta.dirname, "fixtures", "ca.pem"), join(home, ".postgresql", "root.crt"));
      const { ca, rejectUnauthorized } = settleConnect("host=a sslmode=require").tls;
      assert.deepEqual([ca !== undefined, rejectUnauthorized], [true, true]);
      assert.equal(settleConnect("host=a sslmode=verify-ca").tls.rejectUnauthorized, true);
      assert.equal(settleConnect("host=a").tls.rejectUnauthorized, false);
    } finally {
      rmSync(home, { recursive: true });
    }
  });

  it("show no certificate that is not to be shown", () => {
    const files = join(import.meta.dirname, "fixtures");
    const dsn = `host=a sslmode=require sslcert=${files}/client.pem sslkey=${files}/client.key`;
    assert.notEqual(settleConnect(dsn).tls.cert, undefined);
    const { cert, key } = settleConnect(`${dsn} sslcertmode=disable`).tls;
    assert.deepEqual([cert, key], [undefined, undefined]);
  });

  it("of a server of our own come from the environment only for the session", () => {
    process.env["PGTARGETSESSIONATTRS"] = "standby";
    process.env["PGCHANNELBINDING"] = "require";
    process.env["PGREQUIREAUTH"] = "md5";
    process.env["PGTZ"] = "Asia/Tokyo";
    const { targetSessionAttrs, channelBinding, startup } = settleConnect("host=a", true);
    assert.deepEqual([targetSessionAttrs, channelBinding, startup["TimeZone"]], ["any", "prefer", "Asia/Tokyo"]);
  });

  it("tell whether the environment names a server", () => {
    assert.equal(environmentNamesServer({ PGTZ: "UTC", PGAPPNAME: "app", PGSSLMODE: "require" }), false);
    for (const name of ["PGUSER", "PGDATABASE", "PGPASSWORD"])
      assert.equal(environmentNamesServer({ [name]: "x" }), true);
    assert.equal(environmentNamesServer({ PGHOST: "h" }), true);
    assert.equal(environmentNamesServer({ DATABASE_URL: "" }), false);
    assert.deepEqual(parametersOfEnvironment({ PGTZ: "UTC", PGPASSWORD: "x", PGHOST: "" }), {
      TimeZone: "UTC",
      password: "x",
    });
  });
});

describe("a password file", () => {
  it("gives the password of the first line that fits", () => {
    const text = "# c\nh:5432:db:u:first\n*:*:*:u:it\\:s\\\\me\nlocalhost:*:*:*:socket\n";
    const key = { host: "h", port: 5432, database: "db", user: "u" };
    assert.equal(passwordIn(text, key), "first");
    assert.equal(passwordIn(text, { ...key, port: 1 }), "it:s\\me");
    assert.equal(passwordIn(text, { ...key, host: "/tmp", user: "v" }), "socket");
    assert.equal(passwordIn(text, { ...key, user: "v" }), undefined);
  });
});
