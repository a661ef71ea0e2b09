import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ClientSession, safeFileName } from "@meanwhile/http";

import { parseContentDisposition } from "../src/content-disposition.ts";
import { parseContentRange } from "../src/content-range.ts";
import { charsetOf, contentLengthOf, isJson, mediaTypeOf } from "../src/content-type.ts";
import { parseLinks } from "../src/links.ts";
import { retryAfterMs } from "../src/retry-after.ts";
import { serve } from "./servers.ts";

describe("Content-Type and Content-Length", () => {
  it("are parsed as they are written", () => {
    for (const [header, type, charset] of [
      ["text/html", "text/html", undefined],
      ["Text/HTML; Charset=UTF-8", "text/html", "utf-8"],
      ['text/plain;charset="iso-8859-1" ; x=y', "text/plain", "iso-8859-1"],
      ['text/plain; note="; charset=wrong"; charset=right', "text/plain", "right"],
      ['text/plain; note="\\"; charset=wrong"', "text/plain", undefined],
      ["text/plain; charset=", "text/plain", undefined],
      ["text/plain; charset=a; charset=b", "text/plain", "a"],
      ['text/plain; charset="open', "text/plain", "open"],
      [" ; charset=a", undefined, "a"],
      ["", undefined, undefined],
      [undefined, undefined, undefined],
    ] as const) {
      assert.deepEqual([mediaTypeOf(header), charsetOf(header)], [type, charset], String(header));
    }
    assert.deepEqual(
      ["0", "12", " 7 "].map((length) => contentLengthOf(length)),
      [0, 12, 7],
    );
    assert.deepEqual(
      ["", "-1", "1e3", "0x1", "1.5", "9".repeat(16), "9".repeat(400)].map((length) => contentLengthOf(length)),
      Array(7).fill(undefined),
    );
    assert.deepEqual(
      ["application/json", "application/ld+json; x=y", "text/json"].map((type) => isJson(type)),
      [true, true, true],
    );
    assert.deepEqual(
      ["text/html", "application/jsonp", undefined].map((type) => isJson(type)),
      [false, false, false],
    );
  });
});

describe("Content-Disposition", () => {
  const nameOf = (header: string): string | undefined => parseContentDisposition(header)?.fileName;

  it("gives type, parameters and a file name, by RFC 6266", () => {
    const parsed = parseContentDisposition('Attachment; FileName="a \\"b\\".txt"; size=12');
    assert.equal(parsed?.type, "attachment");
    assert.deepEqual(
      [...(parsed?.parameters ?? [])],
      [
        ["filename", 'a "b".txt'],
        ["size", "12"],
      ],
    );
    assert.equal(parseContentDisposition(undefined), undefined);
    for (const [header, name] of [
      ["attachment", undefined],
      ["attachment; filename=", undefined],
      ['inline; filename="foo.html"', "foo.html"],
      ["attachment; filename=foo.html", "foo.html"],
      ["attachment; filename*=UTF-8''na%C3%AFve%20%E2%82%AC.txt; filename=plain.txt", "naïve €.txt"],
      ["attachment; filename=plain.txt; filename*=utf-8'en'%e2%82%ac.txt", "€.txt"],
      ["attachment; filename*=iso-8859-1''%E4.txt", "ä.txt"],
      ["attachment; filename*=UTF-8''%ff%fe; filename=plain.txt", "plain.txt"],
      ["attachment; filename*=UTF-8''%zz; filename=plain.txt", "plain.txt"],
      ["attachment; filename*=windows-1252''%e4; filename=plain.txt", "plain.txt"],
      ["attachment; filename*=plain", undefined],
      [`attachment; filename="${Buffer.from("grüße.txt").toString("latin1")}"`, "grüße.txt"],
      ['attachment; filename="gr\u00fc\u00dfe.txt"', "grüße.txt"],
    ] as const) {
      assert.equal(nameOf(header), name, header);
    }
  });

  it("offers no name that leaves its directory or means something to a system", () => {
    const quoted = (name: string): string => `attachment; filename="${name.replaceAll(/[\\"]/g, "\\$&")}"`;
    for (const [evil, name] of [
      ["../../etc/passwd", "passwd"],
      ["C:\\Windows\\system32\\evil.dll", "evil.dll"],
      ["C:evil", "C_evil"],
      ["..", "index"],
      ["/", undefined],
      ["a/", undefined],
      [".bashrc", "bashrc"],
      ["evil.exe. . ", "evil.exe"],
      ["aux", "_aux"],
      ["CON.txt", "_CON.txt"],
      ["com1 .log", "_com1 .log"],
      ["a\0b", "a_b"],
      ["a\x1b[31m", "a_[31m"],
      ["file:stream", "file_stream"],
      ["a?b*c|d<e>f", "a_b_c_d_e_f"],
    ] as const) {
      assert.equal(nameOf(quoted(evil)), name, JSON.stringify(evil));
    }
    assert.equal(nameOf("attachment; filename*=UTF-8''..%2f..%2fpasswd"), "passwd");
    assert.equal(nameOf("attachment; filename*=UTF-8''evil%E2%80%AEtxt.exe"), "evil_txt.exe");
    assert.equal(safeFileName("e\u0301"), "é");
    assert.equal(safeFileName("a\u200d\u2066b\ufeff"), "a__b_");
    assert.equal(safeFileName("\ud800x"), "_x");
  });

  it("keeps a name to 200 bytes, and two long ones apart", () => {
    const [one, two] = [safeFileName(`${"ü".repeat(300)}1.tar`), safeFileName(`${"ü".repeat(300)}2.tar`)];
    assert.ok(Buffer.byteLength(one) <= 200);
    assert.match(one, /^ü+-[0-9a-f]{12}\.tar$/);
    assert.notEqual(one, two);
  });
});

describe("Link", () => {
  it("is a list of absolute URLs with their relations", () => {
    const links = parseLinks(
      '<https://example.test/a?x=1,2>; rel="next"; title="a, b; <c>", </b>;REL=Prev Last, <c> ; rel=x; rel=y,<>;rel=self, <http://[>; rel=bad, junk, <d>',
      "http://example.test/dir/page",
    );
    assert.deepEqual(
      links.map(({ url, rel }) => [url, ...rel]),
      [
        ["https://example.test/a?x=1,2", "next"],
        ["http://example.test/b", "prev", "last"],
        ["http://example.test/dir/c", "x"],
        ["http://example.test/dir/page", "self"],
        ["http://example.test/dir/d"],
      ],
    );
    assert.equal(links[0]?.parameters.get("title"), "a, b; <c>");
    assert.deepEqual(parseLinks(undefined, "http://a"), []);
    assert.deepEqual(
      parseLinks(["<a>; rel=next", "<b>; rel=last"], "http://x/").map(({ url }) => url),
      ["http://x/a", "http://x/b"],
    );
    assert.equal(parseLinks("<a>,".repeat(3_000), "http://x/").length, 256);
  });
});

describe("Content-Range", () => {
  it("is parsed, or refused as a whole", () => {
    assert.deepEqual(parseContentRange("bytes 5-9/10"), { range: { first: 5, last: 9 }, totalBytes: 10 });
    assert.deepEqual(parseContentRange("Bytes 5-9/*"), { range: { first: 5, last: 9 }, totalBytes: undefined });
    assert.deepEqual(parseContentRange("bytes */10"), { range: null, totalBytes: 10 });
    for (const bad of [
      "bytes 5-9",
      "bytes 9-5/10",
      "bytes 5-10/10",
      "items 1-2/3",
      "bytes -5/10",
      "bytes 1-2/3, 4-5/6",
      "",
      undefined,
      ["a"],
    ]) {
      assert.equal(parseContentRange(bad), null, String(bad));
    }
  });
});

describe("the head of a response", () => {
  it("is offered parsed", async () => {
    await using server = await serve((request, response) => {
      response.setHeader("content-type", "application/json; charset=UTF-8");
      response.setHeader("content-disposition", 'attachment; filename="data.json"');
      response.setHeader("link", ["</p/2>; rel=next", '</p/9>; rel="last"']);
      response.end(request.url === "/empty" ? "" : "[1]");
    });
    await using session = new ClientSession({ baseUrl: server.url });
    const response = await session.get("/p/1");
    assert.equal(response.contentType, "application/json");
    assert.equal(response.charset, "utf-8");
    assert.equal(response.contentLength, 3);
    assert.equal(response.contentDisposition?.fileName, "data.json");
    assert.equal(response.link("Next"), `${server.url}/p/2`);
    assert.equal(response.link("last"), `${server.url}/p/9`);
    assert.equal(response.link("prev"), undefined);
    assert.deepEqual(await response.json({ checkContentType: true }), [1]);
  });

  it("lets json() insist on its Content-Type", async () => {
    await using server = await serve((_request, response) =>
      response.setHeader("content-type", "text/html").end("[1]"),
    );
    await using session = new ClientSession();
    assert.deepEqual(await (await session.get(server.url)).json(), [1]);
    await assert.rejects((await session.get(server.url)).json({ checkContentType: true }), {
      code: "MW_ERR_HTTP_CONTENT_TYPE",
    });
    assert.equal(session.statistics().inUse, 0);
  });

  it("decides with a byte order mark how text() reads", async () => {
    const bodies = [
      Buffer.from("\ufeffä"),
      Buffer.from("\ufeffä", "utf16le"),
      Buffer.from("\ufeffä", "utf16le").swap16(),
    ];
    await using server = await serve((_request, response) => {
      response.setHeader("content-type", "text/plain; charset=iso-8859-1").end(bodies.shift() ?? Buffer.from([0xe4]));
    });
    await using session = new ClientSession();
    for (let count = 0; count < 4; count += 1) assert.equal(await (await session.get(server.url)).text(), "ä");
  });
});

describe("the parsers of header fields", () => {
  const parsers: Readonly<Record<string, (text: string) => unknown>> = {
    charsetOf,
    mediaTypeOf,
    contentLengthOf,
    parseContentDisposition,
    parseContentRange,
    parseLinks: (text) => parseLinks(text, `http://example.test/${"d/".repeat(50)}`),
    retryAfterMs,
    safeFileName,
  };
  /** A hundred times what they take, and far less than what a quadratic one would. */
  const BUDGET_MS_PER_BYTE = 0.01;
  const LENGTH = 16_384;
  const PIECES = [
    "<",
    ">",
    "<>",
    ",",
    ";",
    "=",
    '"',
    "\\",
    '\\"',
    " ",
    "\t",
    "%",
    "%41",
    "'",
    "''",
    ".",
    "/",
    "-",
    "*",
    "a",
    "9",
    "\xe9",
    "\ufeff",
  ];
  const WORDS = ["; filename=", "; filename*=UTF-8''", '; a="', "; rel=", ", <", "; charset=", "bytes "];

  function random(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }

  function* hostile(): Generator<string> {
    for (const piece of [...PIECES, ...WORDS]) {
      for (const start of ["", 'a; x="', "attachment; filename*=UTF-8''", "<", "a;"]) {
        yield start + piece.repeat(LENGTH / piece.length);
      }
    }
    const next = random(5);
    for (let round = 0; round < 100; round += 1) {
      const all = [...PIECES, ...WORDS];
      yield Array.from({ length: 2_000 }, () => all[Math.floor(next() * all.length)] ?? "").join("");
    }
  }

  for (const [name, parse] of Object.entries(parsers)) {
    it(`take no longer than the text is long, and never throw: ${name}`, () => {
      for (const text of hostile()) {
        const started = performance.now();
        parse(text);
        const took = performance.now() - started;
        assert.ok(
          took < Math.max(50, text.length * BUDGET_MS_PER_BYTE),
          `${took} ms for ${JSON.stringify(text.slice(0, 40))}`,
        );
      }
    });
  }
});
