// A doubly linked list whose items carry the links: joining and leaving cost O(1) and no allocation.

/** What an item must have to be in a {@link LinkedList}. An item is in at most one list. */
export interface Linked<T> {
  previous: T | null;
  next: T | null;
  list: object | null;
}

/** First in, first out, with removal from the middle. */
export class LinkedList<T extends Linked<T>> {
  // Invariant: first === null exactly if last === null exactly if size === 0; every item has list === this.
  first: T | null = null;
  last: T | null = null;
  size = 0;

  /** Appends an item that is in no list. */
  push(item: T): void {
    item.list = this;
    item.previous = this.last;
    if (this.last === null) this.first = item;
    else this.last.next = item;
    this.last = item;
    this.size += 1;
  }

  /** Removes the item if it is in this list. Tells whether it was. */
  remove(item: T): boolean {
    if (item.list !== this) return false;
    if (item.previous === null) this.first = item.next;
    else item.previous.next = item.next;
    if (item.next === null) this.last = item.previous;
    else item.next.previous = item.previous;
    item.previous = null;
    item.next = null;
    item.list = null;
    this.size -= 1;
    return true;
  }

  /** Removes and returns the first item. */
  shift(): T | null {
    const item = this.first;
    if (item !== null) this.remove(item);
    return item;
  }
}
