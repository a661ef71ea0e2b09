// How many there were of something over the whole run, in equal parts of the time; every change costs the same, however
// long the run and however many tasks there are.

/** Parts; twice as long ones when the run gets too long for them. */
const PARTS = 512;

/** A number over time. */
export class LoadCurve {
  // Differences between neighbours, so that "from now on one more" changes two numbers.
  #steps = new Float64Array(PARTS + 2);
  #fromMs: number | null = null;
  #partMs = 0.25;

  /** When it begins. */
  get fromMs(): number {
    return this.#fromMs ?? 0;
  }

  /** How long a part is, in milliseconds. */
  get partMs(): number {
    return this.#partMs;
  }

  /** How many parts there are. */
  get length(): number {
    return PARTS;
  }

  /** How many there are after the last change. */
  get last(): number {
    return this.#steps.reduce((sum, step) => sum + step, 0);
  }

  /** From this moment on there are so many more, or less. */
  add(atMs: number, change: number): void {
    this.#reach(atMs);
    const place = (atMs - this.fromMs) / this.#partMs;
    const part = Math.floor(place);
    const rest = place - part;
    this.#steps[part] = (this.#steps[part] ?? 0) + change * (1 - rest);
    this.#steps[part + 1] = (this.#steps[part + 1] ?? 0) + change * rest;
  }

  /** How many there were on average in each part; after the last of them it stays as it is. */
  values(): Float64Array {
    let sum = 0;
    return this.#steps.slice(0, PARTS).map((step) => (sum += step));
  }

  #reach(atMs: number): void {
    this.#fromMs ??= atMs;
    while (atMs < this.#fromMs || atMs >= this.#fromMs + PARTS * this.#partMs) {
      // Longer parts, and half of the room free, on the side where it is needed.
      const isBefore = atMs < this.#fromMs;
      if (isBefore) this.#fromMs -= PARTS * this.#partMs;
      this.#halve(isBefore ? PARTS / 2 : 0);
      this.#partMs *= 2;
    }
  }

  #halve(first: number): void {
    const old = this.values();
    const last = (old.at(-1) ?? 0) + (this.#steps[PARTS] ?? 0);
    this.#steps = new Float64Array(PARTS + 2);
    let before = 0;
    for (let part = 0; part < PARTS / 2; part += 1) {
      const value = ((old[part * 2] ?? 0) + (old[part * 2 + 1] ?? 0)) / 2;
      this.#steps[first + part] = value - before;
      before = value;
    }
    const end = first + PARTS / 2;
    this.#steps[end] = (this.#steps[end] ?? 0) + last - before;
  }
}
