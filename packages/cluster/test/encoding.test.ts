// Values as text, and back; and texts that nobody should have written.

import assert from "node:assert/strict";
import { createSecretKey } from "node:crypto";
import { describe, it } from "node:test";

import { Client } from "../src/client.ts";
import { decodeValue } from "../src/decode.ts";
import { encodeValue } from "../src/encode.ts";
import { checkClient } from "../src/options.ts";
import { remoteError } from "../src/remote-error.ts";
import { sealWith } from "../src/seal.ts";
import { readJob, readOutcome, readToClient, readToWorkers } from "../src/wire.ts";

const back = (value: unknown): unknown => decodeValue(JSON.parse(encodeValue(value, "value")));

describe("a value on its way", () => {
  it("comes back as structured clone would give it", () => {
    const values: readonly unknown[] = [
      "",
      "\u2028\u0000\ud800",
      0,
      -0,
      1.5e300,
      Infinity,
      null,
      undefined,
      true,
      10n ** 50n,
      [],
      [[], [[1]]],
      [undefined, null],
      // oxlint-disable-next-line no-sparse-arrays -- that is the point
      [1, , 3],
      {},
      { a: { b: [{ c: null }] } },
      new Date(0),
      new Date(NaN),
      /[/]\n/dgimsuy,
      new Map<unknown, unknown>([[{ key: 1 }, new Set([new Map()])]]),
      new ArrayBuffer(3),
      new Uint8Array([1, 2, 255]),
      new BigInt64Array([-1n]),
      new DataView(new ArrayBuffer(2)),
      new Float16Array([0.5]),
      Object.assign([0, 1], { x: 2 }),
      // oxlint-disable-next-line no-sparse-arrays -- that is the point
      Object.assign([, 1], { x: 2 }),
      ...["text", -0, NaN, true, 5n].map((primitive) => Object(primitive) as unknown),
      new (class Point {
        x = 1;
        get y(): number {
          return 2;
        }
      })(),
    ];
    for (const value of values) assert.deepEqual(back(value), structuredClone(value));
  });

  it("takes no longer for errors that lie in properties of errors", () => {
    let error = new Error("bottom");
    for (let depth = 0; depth < 60; depth++) error = Object.assign(new Error(`at ${depth}`), { details: { error } });
    let copy = back(error) as typeof error & { details?: { error: Error } };
    for (let depth = 0; depth < 60; depth++) copy = copy.details?.error as typeof copy;
    assert.equal(copy.message, "bottom");
  });

  it("leaves out of an error what cannot be sent, wherever it lies, also in circles", () => {
    const details: Record<string, unknown> = { n: 1 };
    const error = Object.assign(new Error("outer"), { details, bad: { deep: [() => 1] } });
    details["error"] = error;
    const copy = back(error) as typeof error;
    assert.equal(copy.details["error"], copy);
    assert.equal("bad" in copy, false);
  });

  it("keeps what is shared shared, and circles closed", () => {
    const shared = { n: 1 };
    const value: Record<string, unknown> = { one: shared, other: [shared] };
    value["self"] = value;
    const copy = back(value) as { one: object; other: object[]; self: unknown };
    assert.equal(copy.one, copy.other[0]);
    assert.equal(copy.self, copy);
  });

  it("may be nested as deep as memory goes", () => {
    let value: unknown = "bottom";
    for (let i = 0; i < 100_000; i++) value = [value];
    let copy = back(value);
    for (let i = 0; i < 100_000; i++) [copy] = copy as [unknown];
    assert.equal(copy, "bottom");
  });

  it("has no property that reaches a prototype", () => {
    const value = JSON.parse('{"__proto__":{"polluted":1},"constructor":2}') as object;
    const copy = back(value) as object;
    assert.equal(Object.getPrototypeOf(copy), Object.prototype);
    assert.deepEqual(Object.keys(copy), ["__proto__", "constructor"]);
    assert.equal(({} as { polluted?: number }).polluted, undefined);
  });

  it("is refused with its place, if it cannot be sent", () => {
    const cases: ReadonlyArray<readonly [value: unknown, text: RegExp]> = [
      [[{ a: new Map([["k", [() => 1]]]) }], /args\[0\]\.a\.values\(\)\[0\]\[0\] to another machine: it is a function/],
      [[Symbol("s")], /args\[0\] to another machine: it is a symbol/],
      [[Promise.resolve()], /it is a Promise/],
      [[new WeakMap()], /it is an instance of WeakMap/],
      [[new SharedArrayBuffer(1)], /it is memory that is shared within one process/],
      [[new Proxy({}, {})], /it is a Proxy/],
      [
        [
          new Proxy(
            new (class Point {
              x = 1;
            })(),
            {},
          ),
        ],
        /it is a Proxy/,
      ],
      [[Object.assign(Promise.resolve(), { x: 1 })], /it is a Promise/],
      [[new URL("file:///x")], /it is an instance of URL/],
    ];
    for (const [value, message] of cases) {
      assert.throws(() => encodeValue(value, "args"), { code: "MW_ERR_CLUSTER_NOT_SENDABLE", message });
    }
  });
});

describe("a text that comes over the queue", () => {
  it("reaches no property of a list but its entries", () => {
    for (const index of ["map", "constructor", "__proto__", "0", 0.5, -1, 1, null, [0]]) {
      assert.throws(() => decodeValue([["A", [index]]]), { code: "MW_ERR_CLUSTER_REFUSED" }, JSON.stringify(index));
    }
  });

  it("is refused if it hides something in an error where its stack or its message is", () => {
    for (const key of ["stack", "message"]) {
      const error = ["E", "Error", "Error", "it", "Error: it\n    at far", key, false, [1]];
      const table = [error, ["O", "toString", 1, "valueOf", 1]];
      const worker = { id: "worker", host: "host", pid: 1 };
      assert.throws(() => remoteError(table, worker, new Error()), { code: "MW_ERR_CLUSTER_REFUSED" });
    }
  });

  it("is no message to a client if it is none: nothing is thrown where messages are listened to", () => {
    const ended = { kind: "ended", id: "1", text: null };
    const bad = [
      null,
      1,
      [],
      {},
      { ...ended, id: 1 },
      { ...ended, text: 1 },
      { ...ended, kind: "progress" },
      { id: "1" },
    ];
    assert.deepEqual(readToClient(JSON.stringify([...bad, ended])), [ended]);
    for (const text of ["", "null", "{}", "[null", '{"length":1}']) assert.deepEqual(readToClient(text), []);
    const client = new Client("c", checkClient({ queue: "q" }));
    client.received(JSON.stringify(bad));
  });

  it("is no end of a job if it does not say who has run it, or how it has ended", () => {
    const worker = { id: "w", host: "h", pid: 1 };
    const outcomes = [
      { kind: "value" },
      { kind: "failure", worker: {} },
      { kind: "odd", worker },
      { kind: "cancelled", worker },
    ];
    for (const outcome of outcomes) {
      assert.throws(() => readOutcome(JSON.stringify({ v: 1, outcome, value: null })), {
        code: "MW_ERR_CLUSTER_REFUSED",
      });
    }
  });

  it("is refused, and never anything else, if it was not written by this package", () => {
    const tables: readonly unknown[] = [
      null,
      1,
      "x",
      [],
      [[]],
      [["?"]],
      [["A", [7]]],
      [["A", [-1]]],
      [["A", ["length"]]],
      [["O", "a"]],
      [["V", "Evil", ""]],
      [["V", "Float64Array", "AA=="]],
      [["N", "not a number"]],
      [["R", "(", ""]],
      [["H", -1]],
      [["D", "x"], ["A"]],
    ];
    for (const table of tables) {
      try {
        decodeValue(table);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "MW_ERR_CLUSTER_REFUSED", JSON.stringify(table));
      }
    }
    for (const text of [
      "",
      "{",
      "[]",
      "null",
      '{"v":1}',
      '{"v":2,"head":{},"args":[]}',
      '"x"',
      '{"v":1,"head":null}',
    ]) {
      for (const read of [readJob, readOutcome, readToWorkers]) {
        assert.throws(() => read(text), { code: "MW_ERR_CLUSTER_REFUSED" }, text);
      }
    }
  });

  it("is refused if it is signed by others, for something else, or was changed", () => {
    const seal = sealWith(createSecretKey(Buffer.from("a secret of sixteen bytes")));
    const other = sealWith(createSecretKey(Buffer.from("another one, as long too")));
    const open = sealWith(null);
    const text = '{"v":1}';
    const sealed = seal.close("job 1", text);
    assert.equal(seal.open("job 1", sealed), text);
    const refused = { code: "MW_ERR_CLUSTER_REFUSED" };
    assert.throws(() => seal.open("job 2", sealed), refused);
    assert.throws(() => other.open("job 1", sealed), refused);
    assert.throws(() => open.open("job 1", sealed), {
      ...refused,
      message: /it is signed, but this side has no 'secret'/,
    });
    for (const odd of ["", "rubbish"])
      assert.throws(() => open.open("job 1", odd), { ...refused, message: /it was not written by this package/ });
    assert.throws(() => seal.open("job 1", text), refused);
    assert.throws(() => seal.open("job 1", ""), refused);
    for (let at = 0; at < sealed.length; at++) {
      const changed = sealed.slice(0, at) + (sealed[at] === "A" ? "B" : "A") + sealed.slice(at + 1);
      assert.throws(() => seal.open("job 1", changed), refused, `at ${at}`);
    }
  });
});
