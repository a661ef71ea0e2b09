// What a scenario says of itself, so that a test can tell whether its cleanup ran once, and from the inside out. Who called
// whom is said by the scenario, not taken from the runtime under test.

/** How a part of a scenario belongs to the one that calls it. */
export interface ActivityOptions {
  /** Whether its caller may go on before it has ended, like the loser of a race. Default: false. */
  readonly mayOutlive?: boolean;
}

/** One call of a function with a `try … finally`. */
export class Activity {
  readonly name: string;
  readonly #faults: string[];
  readonly #mayOutlive: boolean;
  readonly #children: Activity[] = [];
  #state: "running" | "cleaning up" | "ended" = "running";

  /** @param faults - where it says what is wrong */
  constructor(name: string, faults: string[], { mayOutlive = false }: ActivityOptions = {}) {
    this.name = name;
    this.#faults = faults;
    this.#mayOutlive = mayOutlive;
  }

  /** A function that was called begins: right before its `try`. */
  begins(name: string, options?: ActivityOptions): Activity {
    const child = new Activity(name, this.#faults, options);
    this.#children.push(child);
    return child;
  }

  /** At the start of its `finally`. */
  cleansUp(): void {
    if (this.#state !== "running") this.#faults.push(`"${this.name}" cleans up again: it is ${this.#state}`);
    this.#state = "cleaning up";
    for (const child of this.#children) {
      if (child.#state !== "ended" && !child.#mayOutlive)
        this.#faults.push(`"${this.name}" goes on while "${child.name}" is ${child.#state}`);
    }
  }

  /** At the end of its `finally`. */
  ends(): void {
    if (this.#state !== "cleaning up") this.#faults.push(`"${this.name}" ends: it is ${this.#state}`);
    this.#state = "ended";
  }

  /** What began and has not ended, at any depth. */
  unfinished(): string[] {
    return this.#children.flatMap((child) => [
      ...(child.#state === "ended" ? [] : [`"${child.name}" is ${child.#state}`]),
      ...child.unfinished(),
    ]);
  }
}
