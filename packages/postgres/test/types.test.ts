import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { run } from "meanwhile";

import { parseArray } from "../src/array-text.ts";
import type { ConnectOptions } from "../src/connect-options.ts";
import { settleConnect } from "../src/connect-settings.ts";
import type { Link } from "../src/link.ts";
import { openLink } from "../src/open-link.ts";
import { FetchRows, FetchValue } from "../src/query.ts";
import { compiledReader, plainReader, readFirst } from "../src/row-reader.ts";
import { parseTimestamp } from "../src/timestamps.ts";
import { parseBytea } from "../src/type-parsers.ts";
import { TypeRegistry } from "../src/type-registry.ts";
import { readInteger, readText, readTimestamp } from "../src/value-readers.ts";
import { startServer } from "./servers.ts";

/** Runs a test with a connection of its own. */
async function withLink(body: (link: Link) => Promise<void>, options: ConnectOptions = {}): Promise<void> {
  const server = await startServer();
  await run(async () => {
    const link = await openLink(settleConnect({ dsn: server.dsn, ...options }));
    try {
      await body(link);
    } finally {
      await link.close();
    }
  });
}

const value = <T>(text: string, ...args: unknown[]): FetchValue<T> => new FetchValue<T>(text, args);

/** The columns of a row as a server sends them, behind one byte. */
function rowOf(texts: ReadonlyArray<string | null>): Buffer {
  const columns = texts.map((text) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(text === null ? -1 : Buffer.byteLength(text));
    return Buffer.concat([length, Buffer.from(text ?? "")]);
  });
  return Buffer.concat([Buffer.from("D"), ...columns]);
}

describe("values of the server", () => {
  const CASES: ReadonlyArray<readonly [expression: string, value: unknown]> = [
    ["true", true],
    ["1::int2", 1],
    ["-5", -5],
    ["9223372036854775807", 9_223_372_036_854_775_807n],
    ["4294967295::oid", 4_294_967_295],
    ["0.1::float8", 0.1],
    ["'NaN'::float4", Number.NaN],
    ["12345678901234567890.10", "12345678901234567890.10"],
    ["'Grüße'", "Grüße"],
    ["'2026-02-28'::date", "2026-02-28"],
    ["'2026-02-28 12:00:00.123456'::timestamp", "2026-02-28 12:00:00.123456"],
    ["'2026-02-28 12:00:00.123+02'::timestamptz", new Date("2026-02-28T10:00:00.123Z")],
    ["'infinity'::timestamptz", Infinity],
    ["'0044-03-15 12:00:00+00 BC'::timestamptz", new Date("-000043-03-15T12:00:00Z")],
    ["'12:00'::time", "12:00:00"],
    ["'1 day'::interval", "1 day"],
    ["'{\"a\": [1, null]}'::jsonb", { a: [1, null] }],
    ["'\"text\"'::json", "text"],
    ["'\\x00ff'::bytea", new Uint8Array([0, 255])],
    ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ["int4range(1, 3)", "[1,3)"],
    ["row(1, 'a')", "(1,a)"],
    ["null::int", null],
    ["pg_sleep(0)", null],
    ["array[1, null, 3]", [1, null, 3]],
    [
      "array[[1, 2], [3, 4]]::int8[]",
      [
        [1n, 2n],
        [3n, 4n],
      ],
    ],
    ["'[0:1]={5,6}'::int[]", [5, 6]],
    ["'{}'::text[]", []],
    [
      `array['a,b', 'say "x"', 'back\\slash', 'NULL', '', '{}', null]`,
      ["a,b", 'say "x"', "back\\slash", "NULL", "", "{}", null],
    ],
    ["array['{\"a\": 1}']::jsonb[]", [{ a: 1 }]],
    ["array['\\x01', '\\x02']::bytea[]", [new Uint8Array([1]), new Uint8Array([2])]],
    ["array['2026-01-01 00:00+00']::timestamptz[]", [new Date("2026-01-01T00:00:00Z")]],
  ];

  it("become values of JavaScript by their types", async () => {
    await withLink(async (link) => {
      for (const [expression, wanted] of CASES) {
        assert.deepEqual(await link.run(value(`select ${expression}`)), wanted, expression);
      }
    });
  });

  it("become what a pool was told", async () => {
    const types = {
      int8: "number",
      numeric: "number",
      date: "utc",
      timestamp: "utc",
      timestamptz: "string",
      json: "string",
      boolean: (text: string) => `said ${text}`,
      "1186": { parse: (text: string) => text.toUpperCase() },
    } as const;
    await withLink(
      async (link) => {
        const text = `select 1::int8 a, 1.5 b, '2026-02-28'::date c, '2026-02-28 12:00'::timestamp d,
          '2026-02-28 12:00+00'::timestamptz e, '{}'::json f, true g, '1 day'::interval h, array[2]::int8[] i, '2026-01-01'::date[] j`;
        await link.run(value("select set_config('TimeZone', 'UTC', false)"));
        const [row] = await link.run(new FetchRows(text.replace(", '2026-01-01'::date[] j", ""), []));
        assert.deepEqual(row, {
          a: 1,
          b: 1.5,
          c: new Date("2026-02-28T00:00:00Z"),
          d: new Date("2026-02-28T12:00:00Z"),
          e: "2026-02-28 12:00:00+00",
          f: "{}",
          g: "said t",
          h: "1 DAY",
          i: [2],
        });
        await assert.rejects(link.run(value("select 9007199254740993")), { code: "MW_ERR_PG_VALUE" });
        const moment = new Date("2026-02-28T12:00:00.5Z");
        assert.deepEqual(await link.run(value("select $1::timestamp", moment)), moment);
        assert.deepEqual(await link.run(value("select $1::date", moment)), new Date("2026-02-28T00:00:00Z"));
      },
      { types },
    );
  });

  it("make the same rows with compiled code and without", () => {
    const names = ["a", "__proto__", 'with "quotes"', "constructor", "a"];
    const readers = [readInteger, readText, readText, readText, readInteger];
    for (const texts of [
      ["1", "p", "q", "2", "-3"],
      [null, null, null, null, null],
    ]) {
      const bytes = rowOf(texts);
      const rows = [compiledReader(names, readers), plainReader(names, readers)].map((read) => read?.(bytes, 1));
      assert.deepEqual(rows[0], rows[1]);
      assert.deepEqual(Object.keys(rows[0] ?? {}), Object.keys(rows[1] ?? {}));
      assert.equal(Object.getPrototypeOf(rows[0]), Object.prototype);
      assert.equal(rows[0]?.["__proto__"], texts[1]);
      assert.equal(rows[0]?.["a"], texts[4] === null ? null : -3);
    }
  });

  it("are refused if a row ends before its last column", () => {
    const bytes = rowOf(["1"]);
    bytes.writeInt32BE(2 ** 30, 1);
    for (const read of [compiledReader(["a"], [readInteger]), plainReader(["a"], [readInteger])]) {
      assert.throws(() => read?.(bytes, 1), { code: "MW_ERR_PG_VALUE" });
    }
    assert.throws(() => readFirst(bytes, 1, readInteger), { code: "MW_ERR_PG_VALUE" });
  });

  it("are read from bytes as they are from text", () => {
    const MOMENTS = [
      "2026-02-28 12:00:00+00",
      "2026-02-28 12:00:00.1+00",
      "2026-02-28 12:00:00.123456-11",
      "1999-12-31 23:59:59.999999+14",
      "2026-02-28 12:00:00+05:30",
      "1880-01-01 00:00:00+00:53:28",
      "0044-03-15 12:00:00+00 BC",
      "0044-03-15 12:00:00+00",
      "12026-02-28 12:00:00+00",
      "infinity",
      "-infinity",
    ];
    for (const text of MOMENTS) {
      const bytes = Buffer.from(`x${text}x`);
      assert.deepEqual(readTimestamp(bytes, 1, bytes.length - 1), parseTimestamp(text), text);
    }
    for (const text of ["0", "-1", "2147483647", "-2147483648", "4294967295"]) {
      assert.equal(readInteger(Buffer.from(`7${text}7`), 1, 1 + text.length), Number(text));
    }
  });

  it("refuse a setting that is none", () => {
    for (const types of [{ int8: "float" }, { json: 5 }, { mood: { parse: "no" } }, "none"]) {
      assert.throws(() => new TypeRegistry(types as never), { code: "MW_ERR_PG_INVALID_ARGUMENT" });
    }
  });

  it("are refused when they are not what they should be", () => {
    for (const text of ["", "1", "{1", '{"1"2}', '{"1']) {
      assert.throws(() => parseArray(text, null), { code: "MW_ERR_PG_VALUE" }, text);
    }
    for (const text of ["", "28.02.2026", "2026-02-28 12:00"]) {
      assert.throws(() => parseTimestamp(text), { code: "MW_ERR_PG_VALUE" });
    }
    assert.deepEqual(parseBytea("a\\\\b\\000"), new Uint8Array([97, 92, 98, 0]));
  });
});

describe("arguments", () => {
  const ROUND: ReadonlyArray<readonly [type: string, argument: unknown, result?: unknown]> = [
    ["bool", true],
    ["int2", -32_768],
    ["int4", 5],
    ["int4", "5", 5],
    ["int4", 5n, 5],
    ["int8", 2n ** 62n],
    ["int8", 5, 5n],
    ["float8", 1.5],
    ["float8", -Infinity],
    ["numeric", "1.50"],
    ["numeric", 1.5, "1.5"],
    ["text", "Grüße 👋"],
    ["text", 5, "5"],
    ["text", ""],
    ["jsonb", { a: [1, "x", null] }],
    ["jsonb", [1, 2]],
    ["jsonb", '{"no": "document"}'],
    ["jsonb", "true"],
    ["json", "null"],
    ["jsonb[]", ["1", "a"]],
    ["float8", -0],
    ["float4[]", [-0]],
    ["jsonb", true],
    ["bytea", new Uint8Array([0, 1, 255])],
    ["bytea", Buffer.from("x"), new Uint8Array([120])],
    ["bytea", new Uint8Array([0, 1, 2]).buffer, new Uint8Array([0, 1, 2])],
    ["timestamptz", new Date("2026-02-28T12:00:00.123Z")],
    ["timestamptz", new Date("-000043-03-15T12:00:00Z")],
    ["timestamptz", new Date("+012026-03-15T12:00:00Z")],
    ["timestamptz", Infinity],
    ["timestamp", "2026-02-28 12:00:00"],
    ["date", "2026-02-28"],
    ["uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    ["int4[]", [1, null, 3]],
    ["int4[]", new Int32Array([1, 2]), [1, 2]],
    ["int4[]", "{7}", [7]],
    ["int8[]", [[1n], [2n]]],
    ["text[]", ["a,b", 'x"y', "\\", "NULL", "", null]],
    ["bytea[]", [new Uint8Array([1, 2])]],
    ["jsonb[]", [{ a: 1 }, null]],
    ["timestamptz[]", [new Date(0)]],
    ["text[]", []],
    ["int4range", "[1,3)"],
    ["int4", null],
  ];

  it("arrive as what they are", async () => {
    await withLink(async (link) => {
      for (const [type, argument, result = argument] of ROUND) {
        assert.deepEqual(await link.run(value(`select $1::${type}`, argument)), result, `${type} ${String(argument)}`);
      }
    });
  });

  it("are refused if they are not of the type of the parameter", async () => {
    const circle: unknown[] = [];
    circle.push(circle);
    const WRONG: ReadonlyArray<readonly [type: string, argument: unknown]> = [
      ["bool", 1],
      ["int2", 32_768],
      ["int4", 1.5],
      ["int4", "five"],
      ["int4", {}],
      ["int8", 2 ** 60],
      ["int8", 2n ** 63n],
      ["float8", "much"],
      ["numeric", true],
      ["text", {}],
      ["text", ["a"]],
      ["text", new Date()],
      ["text", "a\0b"],
      ["jsonb", 5n],
      ["jsonb", circle],
      ["jsonb", () => {}],
      ["bytea", "text"],
      ["timestamptz", new Date(Number.NaN)],
      ["timestamp", new Date()],
      ["date", new Date()],
      ["int4[]", 5],
      ["int4[]", ["x"]],
      ["int4[]", [1, undefined]],
      ["uuid", {}],
      ["int4", undefined],
      ["text", Symbol("x")],
    ];
    await withLink(async (link) => {
      for (const [type, argument] of WRONG) {
        await assert.rejects(
          link.run(value(`select $1::${type}`, argument)),
          { code: "MW_ERR_PG_ARGUMENT_TYPE" },
          type,
        );
      }
      assert.equal(link.transaction, "none");
    });
  });

  it("are documents as the items of an array of documents, whatever they are", async () => {
    const LISTS = [
      [
        [1, 2],
        [3, 4],
      ],
      [[]],
      [[[]], null, { a: [1] }, "x"],
      [],
    ];
    await withLink(async (link) => {
      for (const type of ["json", "jsonb"]) {
        for (const list of LISTS) {
          assert.deepEqual(await link.run(value(`select $1::${type}[]`, list)), list);
          const dimensions = await link.run(value(`select array_ndims($1::${type}[])`, list));
          assert.equal(dimensions, list.length === 0 ? null : 1);
        }
        const refused = { code: "MW_ERR_PG_ARGUMENT_TYPE" };
        await assert.rejects(link.run(value(`select $1::${type}[]`, [undefined])), refused);
        await assert.rejects(link.run(value(`select $1::${type}[]`, new Float32Array(2))), refused);
      }
    });
  });

  it("are what was read, also before and after all days", async () => {
    await withLink(
      async (link) => {
        for (const type of ["timestamp", "date", "timestamptz"]) {
          for (const [text, endless] of [
            ["infinity", Infinity],
            ["-infinity", -Infinity],
          ] as const) {
            assert.equal(await link.run(value(`select '${text}'::${type}`)), endless);
            assert.equal(await link.run(value(`select $1::${type}`, endless)), endless);
          }
        }
        const refused = { code: "MW_ERR_PG_ARGUMENT_TYPE", message: /Infinity/ };
        await assert.rejects(link.run(value("select $1::date", Number.NaN)), refused);
      },
      { types: { timestamp: "utc", date: "utc" } },
    );
  });

  it("are not sent once the encoding of the session is another one", async () => {
    await withLink(async (link) => {
      await link.run(value("select set_config('client_encoding', 'utf-8', false)"));
      await link.run(value("select set_config('client_encoding', 'LATIN1', false)")).catch(() => {});
      const refused = await link.run(value("select $1::text", "ü")).catch((error: unknown) => error);
      assert.ok(refused instanceof Error);
      assert.match(`${refused.message} ${String(refused.cause)}`, /'client_encoding' was set to LATIN1/);
    });
  });

  it("are the text of a document where documents are read as text", async () => {
    await withLink(
      async (link) => {
        assert.equal(await link.run(value("select $1::jsonb", '{"raw": 1}')), '{"raw": 1}');
        assert.equal(await link.run(value("select $1::jsonb", { a: 1 })), '{"a": 1}');
      },
      { types: { jsonb: "string" } },
    );
  });

  it("are written by the encoder of the user for his types", async () => {
    const types = { point: { encode: ({ x, y }: { x: number; y: number }) => `(${x},${y})` } } as never;
    await withLink(
      async (link) => {
        assert.equal(await link.run(value("select $1::point", { x: 1, y: 2 })), "(1,2)");
        assert.deepEqual(await link.run(value("select $1::point[]", [{ x: 1, y: 2 }])), ["(1,2)"]);
      },
      { types },
    );
  });
});
