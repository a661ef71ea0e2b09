import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { inspect } from "node:util";

import { ClientSession, digestAuth, type Middleware, Secret } from "@meanwhile/http";

import { parseChallenges, parseParameters } from "../src/auth-challenge.ts";
import { algorithmOf, type DigestChallenge, digestField } from "../src/digest.ts";
import { through } from "./requests.ts";
import { serve } from "./servers.ts";

/** The algorithm of that name, which has to be known. */
function algorithm(name: string | undefined) {
  const found = algorithmOf(name);
  assert.ok(found !== null, name ?? "none");
  return found;
}

const ENTITY = {
  realm: "http-auth@example.org",
  nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
  opaque: "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS",
  qop: "auth",
  userhash: false,
} as const;
const MUFASA = {
  user: "Mufasa",
  password: "Circle of Life",
  method: "GET",
  uri: "/dir/index.html",
  body: "",
  count: 1,
};

const responseOf = (field: string) => parseChallenges(field)[0]?.parameters.get("response");

describe("the digest", () => {
  it("is that of RFC 7616, section 3.9.1", () => {
    const request = { ...MUFASA, cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" };
    const of = (name: string) => digestField({ ...ENTITY, algorithm: algorithm(name) }, request);
    assert.equal(responseOf(of("MD5")), "8ca523f5e9506fed4657c9700eebdbec");
    assert.equal(responseOf(of("SHA-256")), "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    assert.equal(
      of("SHA-256"),
      'Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", ' +
        'uri="/dir/index.html", response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", ' +
        'algorithm=SHA-256, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", qop=auth, nc=00000001, ' +
        'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"',
    );
  });

  // With the values of erratum 4897: those in the text are of another hash.
  it("is that of RFC 7616, section 3.9.2", () => {
    const challenge: DigestChallenge = {
      realm: "api@example.org",
      nonce: "5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
      opaque: "HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS",
      algorithm: algorithm("SHA-512-256"),
      qop: "auth",
      userhash: true,
    };
    const field = digestField(challenge, {
      user: "Jäsøn Doe",
      password: "Secret, or not?",
      method: "GET",
      uri: "/doe.json",
      body: "",
      cnonce: "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
      count: 1,
    });
    const { parameters } = parseChallenges(field)[0] ?? { parameters: new Map<string, string>() };
    assert.equal(parameters.get("username"), "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b");
    assert.equal(parameters.get("response"), "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5");
    assert.equal(parameters.get("userhash"), "true");
  });

  it("is that of RFC 2617, and without qop that of RFC 2069", () => {
    const challenge = {
      realm: "testrealm@host.com",
      nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
      opaque: "5ccc069c403ebaf9f0171e9517f40e41",
      algorithm: algorithm(undefined),
      userhash: false,
    };
    const request = { ...MUFASA, password: "Circle Of Life", cnonce: "0a4f113b" };
    assert.equal(responseOf(digestField({ ...challenge, qop: "auth" }, request)), "6629fae49393a05397450978507c4ef1");
    const old = digestField({ ...challenge, qop: undefined }, request);
    assert.equal(responseOf(old), "670fd8c2df070c60b045671b8b24ff02");
    assert.doesNotMatch(old, /algorithm|qop|nc=|cnonce/);
  });

  it("covers the session and the body where it has to", () => {
    const md5 = (text: string) => createHash("md5").update(text).digest("hex");
    const request = { ...MUFASA, method: "POST", body: "content", cnonce: "c", count: 255 };
    const field = digestField({ ...ENTITY, qop: "auth-int", algorithm: algorithm("MD5-sess") }, request);
    const session = md5(`${md5("Mufasa:http-auth@example.org:Circle of Life")}:${ENTITY.nonce}:c`);
    const about = md5(`POST:/dir/index.html:${md5("content")}`);
    assert.equal(responseOf(field), md5(`${session}:${ENTITY.nonce}:000000ff:c:auth-int:${about}`));
  });

  it("quotes what it has to, and encodes a name beyond ASCII", () => {
    const challenge = { ...ENTITY, realm: 'a "b" \\c', algorithm: algorithm("MD5") };
    assert.match(digestField(challenge, { ...MUFASA, cnonce: "" }), /realm="a \\"b\\" \\\\c"/);
    const field = digestField(challenge, { ...MUFASA, user: "Jäs(ø)n*'", cnonce: "" });
    assert.match(field, /^Digest username\*=UTF-8''J%C3%A4s%28%C3%B8%29n%2a%27, /);
  });

  it("knows no algorithm but those of the RFC", () => {
    for (const name of ["MD5", "md5", "MD5-sess", "SHA-256", "SHA-256-SESS", "SHA-512-256", "SHA-512-256-sess"]) {
      assert.ok(algorithmOf(name) !== null, name);
    }
    for (const name of ["", "SHA", "SHA-1", "SHA-512", "MD5-", "-sess", "MD5-sess-sess", "constructor"]) {
      assert.equal(algorithmOf(name), null, name);
    }
  });
});

describe("parseChallenges", () => {
  it("reads several challenges of one field", () => {
    const field =
      'Basic realm="a, b", Negotiate, NTLM abc+/==, Digest realm="x \\"y\\"" , nonce = z,, qop="auth,auth-int", DIGEST  nonce=q';
    assert.deepEqual(
      parseChallenges(field).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]),
      [
        ["basic", { realm: "a, b" }],
        ["negotiate", {}],
        ["ntlm", {}],
        ["digest", { realm: 'x "y"', nonce: "z", qop: "auth,auth-int" }],
        ["digest", { nonce: "q" }],
      ],
    );
  });

  it("takes the first of two parameters with one name", () => {
    assert.equal(parseChallenges("Digest a=1, A=2")[0]?.parameters.get("a"), "1");
    assert.equal(parseParameters('nextnonce="n", qop=auth, nextnonce=x').get("nextnonce"), "n");
  });

  it("keeps what comes before something malformed", () => {
    for (const [field, schemes] of [
      ["", []],
      [",,,", []],
      ["=x", []],
      ['Digest realm="open', ["digest"]],
      ["Digest realm=", ["digest"]],
      ['Basic realm="x", @@@, Digest a=b', ["basic"]],
      ["Basic\u00ff", ["basic"]],
      ['Digest "x"', ["digest"]],
      ["Digest a=b c=d", ["digest"]],
    ] as const) {
      assert.deepEqual(
        parseChallenges(field).map(({ scheme }) => scheme),
        schemes,
        field,
      );
    }
  });

  it("takes time in proportion to the length, whatever it reads", () => {
    const pieces = ["a", "=", '"', "\\", ",", " ", "\t", "a=b,", 'a="', "Digest ", "a a", "==", '\\\\"', "é"];
    const lines = pieces.map((piece) => piece.repeat(60_000 / piece.length));
    for (const one of pieces) for (const two of pieces) lines.push(`Digest ${(one + two).repeat(10_000)}`);
    const begin = performance.now();
    for (const line of lines) parseChallenges(line);
    const bytes = lines.reduce((sum, line) => sum + Math.min(line.length, 65_536), 0);
    const micros = (performance.now() - begin) * 1_000;
    // Takes about a tenth of this.
    assert.ok(micros < 4 * bytes, `${micros.toFixed(0)} µs for ${bytes} bytes`);
  });
});

interface Door {
  readonly user?: string;
  readonly password?: string;
  /** What it asks for, besides realm and nonce. */
  readonly asks?: string;
  readonly isStaleAfter?: number;
  readonly nextNonce?: boolean;
}

/** A server that asks for a digest and works it out for itself. It takes each count of a nonce once. */
function door({
  user = "Mufasa",
  password = "secret",
  asks = 'qop="auth", algorithm=SHA-256',
  isStaleAfter = Infinity,
  nextNonce = false,
}: Door = {}) {
  const seen: string[] = [];
  let serial = 1;
  let used = new Set<string>();
  const ask = (isStale: boolean) => `Digest realm="door", nonce="n${serial}", ${asks}${isStale ? ", stale=true" : ""}`;
  const server: Middleware = (request) => {
    const field = request.headers.get("authorization");
    if (field === null) {
      seen.push("asked");
      return request.respond({ status: 401, headers: { "www-authenticate": ask(false) } });
    }
    const parameters = parseChallenges(field)[0]?.parameters ?? new Map<string, string>();
    const count = parameters.get("nc") ?? "";
    seen.push(`${parameters.get("nonce")} ${Number.parseInt(count, 16)}`);
    const uri = request.url.pathname + request.url.search;
    const isCurrent = parameters.get("nonce") === `n${serial}` && used.size < isStaleAfter;
    const qop = parameters.get("qop") === "auth-int" ? "auth-int" : "auth";
    const challenge = {
      ...ENTITY,
      qop,
      realm: "door",
      nonce: parameters.get("nonce") ?? "",
      algorithm: algorithm(parameters.get("algorithm")),
    } as const;
    const body = request.body ?? "";
    const right = digestField(challenge, {
      user,
      password,
      method: request.method,
      uri,
      body,
      cnonce: parameters.get("cnonce") ?? "",
      count: Number.parseInt(count, 16),
    });
    const isRight =
      responseOf(right) === parameters.get("response") && parameters.get("uri") === uri && !used.has(count);
    if (!isRight || !isCurrent) {
      if (isRight) {
        serial += 1;
        used = new Set();
      }
      return request.respond({ status: 401, headers: { "www-authenticate": ask(isRight) } });
    }
    used.add(count);
    if (!nextNonce) return request.respond({ body: qop });
    serial += 1;
    used = new Set();
    return request.respond({ headers: { "authentication-info": `qop=auth, nextnonce="n${serial}"` } });
  };
  return { seen, server };
}

describe("digestAuth", () => {
  it("answers the challenge, and the next requests at once with the next counts", async () => {
    const { seen, server } = door();
    const send = through(digestAuth("Mufasa", new Secret("secret")), server);
    for (const path of ["/a?b=c", "/d", "/"]) assert.equal((await send(`http://shop.test${path}`)).status, 200);
    assert.deepEqual(seen, ["asked", "n1 1", "n1 2", "n1 3"]);
  });

  it("counts on when several first requests at once are asked with one nonce", async () => {
    const { seen, server } = door();
    const send = through(digestAuth("Mufasa", "secret"), server);
    const all = await Promise.all(["/a", "/b", "/c", "/d"].map((path) => send(`http://shop.test${path}`)));
    assert.deepEqual(
      all.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    assert.deepEqual(seen.slice(4), ["n1 1", "n1 2", "n1 3", "n1 4"]);
  });

  it("speaks all algorithms, and chooses the strongest that is offered", async () => {
    for (const name of ["MD5", "MD5-sess", "SHA-256", "SHA-256-sess", "SHA-512-256"]) {
      const { server } = door({ asks: `algorithm=${name}, qop="auth"` });
      assert.equal((await through(digestAuth("Mufasa", "secret"), server)("http://shop.test/")).status, 200, name);
    }
    const offers =
      'Basic realm="x", Digest realm="door", nonce="1", qop="auth", algorithm=MD5, Digest realm="door", nonce="2", qop="auth", algorithm=SHA-256, Digest realm="door", nonce="3", algorithm=NEW';
    const server: Middleware = (request) => {
      const field = request.headers.get("authorization");
      return field === null
        ? request.respond({ status: 401, headers: { "www-authenticate": offers } })
        : request.respond({ body: field });
    };
    assert.match(
      await (await through(digestAuth("u", "p"), server)("http://shop.test/")).text(),
      /nonce="2".*algorithm=SHA-256/,
    );
  });

  it("reads offers that come in fields of their own", async () => {
    const server: Middleware = (request) => {
      const field = request.headers.get("authorization");
      const offers = ['Digest realm="r", nonce="1", algorithm=MD5', 'Digest realm="r", nonce="2", algorithm=SHA-256'];
      return field === null
        ? request.respond({ status: 401, headers: { "www-authenticate": offers } })
        : request.respond({ body: field });
    };
    assert.match(await (await through(digestAuth("u", "p"), server)("http://shop.test/")).text(), /nonce="2"/);
  });

  it("takes a new nonce when the old one is stale, or when the server gives the next one", async () => {
    const stale = door({ isStaleAfter: 2 });
    const send = through(digestAuth("Mufasa", "secret"), stale.server);
    for (let count = 0; count < 4; count += 1) assert.equal((await send("http://shop.test/")).status, 200);
    assert.deepEqual(stale.seen, ["asked", "n1 1", "n1 2", "n1 3", "n2 1", "n2 2"]);
    const next = door({ nextNonce: true });
    const sendNext = through(digestAuth("Mufasa", "secret"), next.server);
    for (let count = 0; count < 3; count += 1) assert.equal((await sendNext("http://shop.test/")).status, 200);
    assert.deepEqual(next.seen, ["asked", "n1 1", "n2 1", "n3 1"]);
  });

  it("gives a 401 back after one wrong answer, also for the next requests", async () => {
    const { seen, server } = door();
    const send = through(digestAuth("Mufasa", "wrong"), server);
    assert.equal((await send("http://shop.test/")).status, 401);
    assert.equal((await send("http://shop.test/")).status, 401);
    assert.deepEqual(seen, ["asked", "n1 1", "asked", "n1 1"]);
  });

  it("answers for the body where the server wants that, and refuses to for a stream", async () => {
    const { seen, server } = door({ asks: 'qop="auth-int", algorithm=SHA-256' });
    const send = through(digestAuth("Mufasa", "secret"), server);
    for (const body of ["text ä", new Uint8Array([1, 2, 255])]) {
      const response = await send("http://shop.test/", { method: "POST", body });
      assert.equal(await response.text(), "auth-int");
    }
    async function* stream() {
      yield "x";
    }
    await assert.rejects(send("http://shop.test/", { method: "POST", body: stream() }), { code: "MW_ERR_HTTP_AUTH" });
    assert.deepEqual(seen, ["asked", "n1 1", "n1 2", "asked"]);
  });

  it("refuses an algorithm or a qop that it does not know, and closes the answer", async () => {
    let closed = 0;
    for (const asks of ["algorithm=SHA-1", 'qop="auth-conf"', "algorithm=MD5-sess-sess"]) {
      const server: Middleware = (request) => {
        async function* body() {
          try {
            yield "x";
          } finally {
            closed += 1;
          }
        }
        return request.respond({
          status: 401,
          headers: { "www-authenticate": `Digest realm="r", nonce="n", ${asks}` },
          body: body(),
        });
      };
      await assert.rejects(through(digestAuth("u", "canary"), server)("http://shop.test/"), (error) => {
        assert.ok(error instanceof Error && "code" in error && error.code === "MW_ERR_HTTP_AUTH");
        return !inspect(error).includes("canary");
      });
    }
    assert.equal(closed, 3);
  });

  it("leaves a 401 alone that asks for something else", async () => {
    for (const header of ['Basic realm="x"', "Negotiate", "", "@"]) {
      const server: Middleware = (request) =>
        request.respond({ status: 401, headers: { "www-authenticate": header }, body: "no" });
      assert.equal(await (await through(digestAuth("u", "p"), server)("http://shop.test/")).text(), "no");
    }
  });

  it("keeps origins apart, and answers unasked only inside the domain of the challenge", async () => {
    const { seen, server } = door({ asks: 'qop="auth", algorithm=SHA-256, domain="/in http://other.test/"' });
    const send = through(digestAuth("Mufasa", "secret"), server);
    for (const url of ["http://shop.test/in", "http://shop.test/in/x", "http://shop.test/out", "http://other.test/"])
      await send(url);
    assert.deepEqual(seen, ["asked", "n1 1", "n1 2", "asked", "n1 1", "asked", "n1 1"]);
  });

  it("refuses a name or password that cannot be sent", () => {
    for (const [user, password] of [
      ["a:b", "x"],
      ["a\n", "x"],
      ["a", "\u0000"],
      ["a", 1],
    ]) {
      assert.throws(() => digestAuth(user as never, password as never), { code: "MW_ERR_HTTP_INVALID_ARGUMENT" });
    }
  });

  it("does not send a streamed body twice, but brings the answer along with the next one", async () => {
    const seen: string[] = [];
    await using server = await serve((request, response, body) => {
      seen.push(`${request.headers.authorization?.split(" ")[0] ?? "none"} ${body}`);
      const isIn = request.headers.authorization !== undefined;
      response.writeHead(isIn ? 200 : 401, { "www-authenticate": 'Digest realm="r", nonce="n", qop="auth"' }).end();
    });
    await using session = new ClientSession({ auth: digestAuth("u", "p") });
    async function* stream() {
      yield "x";
    }
    assert.equal((await session.post(server.url, { body: stream() })).status, 401);
    assert.equal((await session.post(server.url, { body: stream() })).status, 200);
    assert.deepEqual(seen, ["none x", "Digest x"]);
  });
});
