// Texts by number: a million waits are for few things.

/** Gives the same text the same number. */
export class Texts {
  readonly #numbers = new Map<string, number>();
  readonly #texts: string[] = [];

  /** The number of a text. */
  number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }

  /** The text with a number; `""` if there is none. */
  text(number: number): string {
    return this.#texts[number] ?? "";
  }
}
