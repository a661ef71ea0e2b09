// What the rows `lock` and `semaphore` share: the section that permits guard, and who goes in how often.

import { check } from "./measuring.ts";

/** How many tasks want to be inside. */
export const TASKS = 100;
/** How often each of them goes in. */
export const TURNS = 1_000;
/** How often the section is entered in all. */
export const ENTRIES: number = TASKS * TURNS;

/** Knows who is inside: a peer that lets too many in, or whose tasks do not wait for each other, must not be measured. */
export class Section {
  readonly #places: number;
  #inside = 0;
  #mostInside = 0;
  #entries = 0;
  #entriesAtFirstEnd = 0;

  constructor(places: number) {
    this.#places = places;
  }

  enter(): void {
    this.#entries += 1;
    this.#inside += 1;
    if (this.#inside > this.#mostInside) this.#mostInside = this.#inside;
  }

  leave(): void {
    this.#inside -= 1;
  }

  /** A task has had all its turns. */
  end(): void {
    if (this.#entriesAtFirstEnd === 0) this.#entriesAtFirstEnd = this.#entries;
  }

  /** To be called when all tasks have ended. */
  check(): void {
    check("entries", this.#entries, ENTRIES);
    check("most inside at once", this.#mostInside, this.#places);
    // Where a newcomer can overtake those who wait, the first task is done long before the last one.
    const others = ENTRIES - this.#entriesAtFirstEnd;
    if (others > TASKS)
      throw new Error(`the tasks do not take turns: ${others} turns are left when the first one ends`);
  }
}
