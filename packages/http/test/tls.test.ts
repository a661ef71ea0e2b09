import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createSecureServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import type { TLSSocket } from "node:tls";

import { ClientSession, ConnectError, Secret } from "@meanwhile/http";

import { allowWarnings, expectWarning } from "../../../tools/test-setup.ts";
import { CA, CLIENT, SERVER, serveSecure } from "./certificates.ts";
import { serveRaw } from "./servers.ts";

const FINGERPRINT = new X509Certificate(SERVER.cert).fingerprint256;

const who = (request: { socket: unknown }): string => {
  const subject: unknown = (request.socket as TLSSocket).getPeerCertificate().subject?.CN;
  return String(subject);
};

interface NamedServer extends AsyncDisposable {
  readonly port: number;
  /** The names that were asked for, also by connections that came to nothing. */
  readonly names: Set<string>;
}

/** A server of both versions that answers with what it is told of a request. */
async function serveNamed(
  answer: (asked: { servername: string | false; host: string; version: string }) => string,
): Promise<NamedServer> {
  const names = new Set<string>();
  const sockets: TLSSocket[] = [];
  const SNICallback = (name: string, callback: (error: null) => void): void => {
    names.add(name);
    callback(null);
  };
  const server = createSecureServer({ ...SERVER, allowHTTP1: true, SNICallback }, (request, response) => {
    const { headers, httpVersion, stream } = request;
    const socket = (
      httpVersion === "2.0" ? (stream.session as ServerHttp2Session).socket : request.socket
    ) as TLSSocket;
    const servername = (socket as TLSSocket & { servername: string | false }).servername;
    const host = (headers.host ?? headers[":authority"] ?? "").replace(/:\d+$/, "");
    response.end(answer({ servername, host, version: httpVersion }));
  });
  server.on("secureConnection", (socket: TLSSocket) => sockets.push(socket));
  server.on("sessionError", () => {});
  server.on("tlsClientError", () => {});
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    names,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

describe("the option tls", () => {
  it("trusts the certificates it is given, and no others without", async () => {
    await using server = await serveSecure((_request, response) => response.end("hello"));
    await using session = new ClientSession({ tls: { ca: CA } });
    assert.equal(await (await session.get(server.url)).text(), "hello");
    await using wary = new ClientSession();
    await assert.rejects(wary.get(server.url), (error: unknown) => {
      assert.ok(error instanceof ConnectError);
      assert.equal(error.code, "MW_ERR_HTTP_TLS");
      return true;
    });
    await using other = new ClientSession({ tls: { ca: [CLIENT.cert.toString()] } });
    await assert.rejects(other.get(server.url), { code: "MW_ERR_HTTP_TLS" });
    assert.deepEqual([wary.statistics().inUse, wary.statistics().idle], [0, 0]);
  });

  it("checks the name of the server, or the one it is told to ask for (C12)", async () => {
    await using server = await serveSecure((request, response) =>
      response.end(String((request.socket as TLSSocket & { servername: string | false }).servername)),
    );
    const dns = { lookup: () => "127.0.0.1" };
    await using session = new ClientSession({ tls: { ca: CA }, dns });
    const at = (host: string): string => `https://${host}:${server.port}/`;
    assert.equal(await (await session.get(at("server.test"))).text(), "server.test");
    assert.equal(await (await session.get(at("a.server.test"))).text(), "a.server.test");
    await assert.rejects(session.get(at("evil.test")), { code: "MW_ERR_HTTP_TLS" });
    await using named = new ClientSession({ tls: { ca: CA, servername: "server.test" }, dns });
    assert.equal(await (await named.get(at("evil.test"))).text(), "server.test");
  });

  for (const http2 of [false, true]) {
    it(`asks for and checks the host of the URL, whatever the field Host says, over HTTP/${http2 ? 2 : "1.1"}`, async () => {
      const asked: string[] = [];
      await using server = await serveNamed(({ servername, host, version }) => {
        asked.push(version);
        return `${servername} ${host}`;
      });
      await using session = new ClientSession({ tls: { ca: CA }, dns: { lookup: () => "127.0.0.1" }, http2 });
      const ask = async (host: string, field: string): Promise<string> => {
        const response = await session.get(`https://${host}:${server.port}/`, { headers: { Host: field } });
        return response.text();
      };
      assert.equal(await ask("server.test", "evil.test"), "server.test evil.test");
      // The connection that is kept is one to the host of the URL too.
      assert.equal(await ask("server.test", "a.server.test"), "server.test a.server.test");
      assert.equal(await ask("a.server.test", "server.test"), "a.server.test server.test");
      // An address is never sent as a name.
      assert.equal(await ask("127.0.0.1", "evil.test"), "false evil.test");
      await assert.rejects(ask("evil.test", "server.test"), { code: "MW_ERR_HTTP_TLS" });
      assert.deepEqual(
        asked,
        Array.from({ length: 4 }, () => (http2 ? "2.0" : "1.1")),
      );
      assert.deepEqual([...server.names], ["server.test", "a.server.test", "evil.test"]);
    });
  }

  it("keeps the connection whatever the field Host says", async () => {
    await using server = await serveSecure((request, response) => response.end(String(request.socket.remotePort)));
    await using session = new ClientSession({ tls: { ca: CA }, dns: { lookup: () => "127.0.0.1" } });
    const ports = new Set<string>();
    for (const Host of ["server.test", "evil.test", "a.server.test"]) {
      const response = await session.get(`https://server.test:${server.port}/`, { headers: { Host } });
      ports.add(await response.text());
    }
    assert.equal(ports.size, 1);
  });

  it("shows the certificate of the client, in whatever form it is given", async () => {
    const strict = { ca: CA, requestCert: true, rejectUnauthorized: true };
    await using server = await serveSecure((request, response) => response.end(who(request)), strict);
    const forms = [
      { cert: CLIENT.cert, key: CLIENT.key },
      { cert: CLIENT.cert.toString(), key: new Secret(CLIENT.key.toString()) },
      { pfx: new Uint8Array(CLIENT.pfx), passphrase: new Secret("secret") },
    ];
    for (const form of forms) {
      await using session = new ClientSession({ tls: { ca: CA, ...form } });
      assert.equal(await (await session.get(server.url)).text(), "meanwhile test client");
    }
    await using without = new ClientSession({ tls: { ca: CA } });
    await assert.rejects(async () => (await without.get(server.url)).text());
    assert.equal(without.statistics().inUse, 0);
  });

  it("warns once for each session that takes every certificate (C12)", async () => {
    await using server = await serveSecure((_request, response) => response.end("hello"));
    for (let round = 0; round < 2; round += 1) {
      await using warnings = expectWarning("MW_WARN_HTTP_INSECURE_TLS");
      await using session = new ClientSession({ tls: { rejectUnauthorized: false }, keepAlive: false });
      for (let index = 0; index < 3; index += 1) await (await session.get(server.url)).text();
      assert.match((await warnings.first()).message, /tls\.ca/);
      assert.equal(warnings.seen.length, 1);
    }
  });

  it("does not let the environment switch checks off in silence, and overrules it (C12)", async () => {
    await using server = await serveSecure((_request, response) => response.end("hello"));
    // Node has a warning of its own.
    await using _node = allowWarnings("Warning");
    process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
    try {
      await using strict = new ClientSession({ tls: { rejectUnauthorized: true } });
      await assert.rejects(strict.get(server.url), { code: "MW_ERR_HTTP_TLS" });
      await using warnings = expectWarning("MW_WARN_HTTP_INSECURE_TLS");
      await using session = new ClientSession();
      assert.equal(await (await session.get(server.url)).text(), "hello");
      await warnings.first();
    } finally {
      delete process.env["NODE_TLS_REJECT_UNAUTHORIZED"];
    }
  });

  it("accepts only the certificates with the given fingerprints, before anything is sent", async () => {
    let count = 0;
    await using server = await serveSecure((_request, response) => {
      count += 1;
      response.end("hello");
    });
    const wrong = FINGERPRINT.replaceAll(":", "")
      .toLowerCase()
      .replace(/^./, (digit) => (digit === "0" ? "1" : "0"));
    for (const fingerprint256 of [FINGERPRINT, [wrong, FINGERPRINT.replaceAll(":", "")]]) {
      await using session = new ClientSession({ tls: { ca: CA, fingerprint256 }, keepAlive: false });
      for (let round = 0; round < 2; round += 1) await (await session.get(server.url)).text();
    }
    assert.equal(count, 4);
    await using session = new ClientSession({ tls: { ca: CA, fingerprint256: wrong } });
    await assert.rejects(session.get(server.url), { name: "ConnectError", code: "MW_ERR_HTTP_TLS_FINGERPRINT" });
    assert.equal(count, 4);
    await server.allClosed();
  });

  it("keeps to the versions and ciphers it is given", async () => {
    await using server = await serveSecure((request, response) => {
      const socket = request.socket as TLSSocket;
      response.end(`${socket.getProtocol()} ${socket.getCipher().name}`);
    });
    const old = { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" } as const;
    await using session = new ClientSession({ tls: { ca: CA, ...old } });
    assert.equal(await (await session.get(server.url)).text(), "TLSv1.2 ECDHE-ECDSA-AES256-GCM-SHA384");
    await using modern = await serveSecure(() => {}, { minVersion: "TLSv1.3" });
    await assert.rejects(session.get(modern.url), { code: "MW_ERR_HTTP_TLS" });
  });

  it("resumes sessions when connections are made again", async () => {
    await using server = await serveSecure((request, response) =>
      response.end(String((request.socket as TLSSocket).isSessionReused())),
    );
    await using session = new ClientSession({ tls: { ca: CA }, keepAlive: false });
    const reused: string[] = [];
    for (let index = 0; index < 3; index += 1) reused.push(await (await session.get(server.url)).text());
    assert.deepEqual(reused, ["false", "true", "true"]);
  });

  it("is checked before anything is sent", () => {
    const wrong: ReadonlyArray<object> = [
      { ca: "no certificate at all\n-----BEGIN CERTIFICATE-----" },
      { cert: CLIENT.cert },
      { key: CLIENT.key },
      { cert: CLIENT.cert, key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" },
      { pfx: CLIENT.pfx, passphrase: "wrong" },
      { ciphers: "NO-SUCH-CIPHER" },
      { minVersion: "SSLv3" },
      { rejectUnauthorized: 0 },
      { servername: 7 },
      { fingerprint256: "ab:cd" },
    ];
    for (const tls of wrong) {
      assert.throws(
        () => new ClientSession({ tls }),
        { code: "MW_ERR_HTTP_INVALID_ARGUMENT", attempts: 0 },
        Object.keys(tls).join(),
      );
    }
    assert.throws(() => new ClientSession({ tls: null as never }), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
  });

  it("reports a server that hangs up in the handshake", async () => {
    await using server = await serveRaw((socket) => socket.once("data", () => socket.end()));
    await using session = new ClientSession();
    await assert.rejects(session.get(server.url.replace("http", "https")), { name: "ConnectError" });
    await server.allClosed();
  });
});
