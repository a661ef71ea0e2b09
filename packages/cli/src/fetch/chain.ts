// A first in, first out list threaded through its members: nothing is allocated to queue one.

/** What can be in one {@link Chain} at a time. */
export interface Link<T> {
  next: T | null;
}

export class Chain<T extends Link<T>> {
  #first: T | null = null;
  #last: T | null = null;

  get isEmpty(): boolean {
    return this.#first === null;
  }

  push(member: T): void {
    if (this.#last === null) this.#first = member;
    else this.#last.next = member;
    this.#last = member;
  }

  shift(): T | null {
    const member = this.#first;
    if (member === null) return null;
    this.#first = member.next;
    if (this.#first === null) this.#last = null;
    member.next = null;
    return member;
  }
}
