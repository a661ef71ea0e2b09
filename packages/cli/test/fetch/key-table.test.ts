// A set of keys in typed arrays.

import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { keyOf, KeyTable } from "../../src/fetch/key-table.ts";

describe("KeyTable", () => {
  it("finds what it was given, and nothing else, while it grows", () => {
    const table = new KeyTable();
    const count = 20_000;
    for (let index = 0; index < count; index++) table.set(keyOf(`in ${index}`), index % 200);
    assert.equal(table.size, count);
    for (let index = 0; index < count; index++) {
      assert.equal(table.get(keyOf(`in ${index}`)), index % 200);
      assert.equal(table.get(keyOf(`out ${index}`)), undefined);
    }
  });

  it("gives all back", () => {
    const table = new KeyTable();
    const copy = new KeyTable();
    for (let index = 0; index < 3_000; index++) table.set(keyOf(String(index)), index % 100);
    for (const [key, value] of table.entries()) copy.set(key, value);
    assert.equal(copy.size, 3_000);
    assert.equal(copy.get(keyOf("1234")), 34);
  });

  it("knows a key that it has read among other bytes, and no bytes that are no key", () => {
    const table = new KeyTable(100);
    const text = (index: number): Buffer => Buffer.from(`..${keyOf(String(index))}=`);
    const one = (value: number = 0): number => value + 1;
    for (let index = 0; index < 3_000; index++) assert.equal(table.updateAt(text(index), 2, one), true);
    assert.equal(table.updateAt(text(7), 2, one), true);
    assert.equal(table.updateAt(text(8), 3, one), false);
    assert.deepEqual([table.size, table.get(keyOf("7")), table.get(keyOf("8"))], [3_000, 2, 1]);
    for (let index = 9; index < 3_000; index++) assert.equal(table.get(keyOf(String(index))), 1);
  });

  it("says whether a key is new", () => {
    const table = new KeyTable();
    assert.deepEqual([table.add(keyOf("a")), table.add(keyOf("a")), table.add(keyOf("b"))], [true, false, true]);
  });

  it("takes less than 60 bytes for each of many keys", () => {
    const before = process.memoryUsage().arrayBuffers;
    const table = new KeyTable();
    for (let index = 0; index < 100_000; index++) table.add(keyOf(String(index)));
    assert.ok(process.memoryUsage().arrayBuffers - before < 2 * 60 * 100_000); // what it outgrew may still be there
    assert.equal(table.size, 100_000);
  });
});
