import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { type Linked, LinkedList } from "../../src/util/linked-list.ts";
import { seededIntegers } from "./random.ts";

class Item implements Linked<Item> {
  previous: Item | null = null;
  next: Item | null = null;
  list: object | null = null;
  readonly id: number;

  constructor(id: number) {
    this.id = id;
  }
}

/** The items in both directions; fails if the two disagree. */
function idsOf(list: LinkedList<Item>): number[] {
  const forwards: number[] = [];
  for (let item = list.first; item !== null; item = item.next) forwards.push(item.id);
  const backwards: number[] = [];
  for (let item = list.last; item !== null; item = item.previous) backwards.push(item.id);
  assert.deepEqual(backwards.toReversed(), forwards);
  assert.equal(list.size, forwards.length);
  return forwards;
}

describe("LinkedList", () => {
  it("gives nothing when it is empty", () => {
    const list = new LinkedList<Item>();
    assert.equal(list.shift(), null);
    assert.deepEqual(idsOf(list), []);
  });

  it("removes an item once, and only from the list it is in", () => {
    const list = new LinkedList<Item>();
    const other = new LinkedList<Item>();
    const item = new Item(1);
    list.push(item);
    assert.equal(other.remove(item), false);
    assert.equal(list.remove(item), true);
    assert.equal(list.remove(item), false);
    other.push(item);
    assert.equal(other.shift(), item);
  });

  it("behaves like an array under random pushes, shifts and removals", () => {
    const pick = seededIntegers(3);
    const list = new LinkedList<Item>();
    const model: Item[] = [];
    const outside: Item[] = [];
    for (let step = 0; step < 4_000; step++) {
      const move = pick(4);
      if (move < 2) {
        const item = (pick(2) === 0 ? outside.pop() : undefined) ?? new Item(step);
        list.push(item);
        model.push(item);
      } else if (move === 2) {
        const item = list.shift();
        assert.equal(item, model.shift() ?? null);
        if (item !== null) outside.push(item);
      } else if (model.length > 0) {
        const [item] = model.splice(pick(model.length), 1) as [Item];
        assert.equal(list.remove(item), true);
        outside.push(item);
      }
      if (step % 50 === 0) {
        assert.deepEqual(
          idsOf(list),
          model.map(({ id }) => id),
        );
      }
    }
  });
});
