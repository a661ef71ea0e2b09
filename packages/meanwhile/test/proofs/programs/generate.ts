// Makes a program of a seed.

import { seededIntegers } from "../../util/random.ts";
import { type Body, type Kind, type Program, type Shape, SHAPES, type Statement } from "./statements.ts";

type Below = (limit: number) => number;

const KINDS = Object.keys(SHAPES) as Kind[];

/** What every program may use: without it nothing takes time or goes wrong. */
const ALWAYS: readonly Kind[] = ["sleep", "fail", "cancel", "block"];

const MOST_STATEMENTS = 20;
const DEEPEST = 6;

/**
 * Whether the host tells when nothing is left that could happen. Where a deadlock takes a second of patience to find, every
 * program gets a deadline.
 */
const SEES_DEADLOCKS = process.versions["bun"] === undefined && process.versions["deno"] === undefined;

/** One program in so many has no deadline. */
const UNGUARDED_IN = 8;

/**
 * The program of a seed. Each uses a few kinds of statements only, others in each program: where everything is possible,
 * what matters together seldom comes together.
 */
export function generate(seed: number): Program {
  const below = seededIntegers(seed);
  const guarded = below(UNGUARDED_IN) !== 0 || !SEES_DEADLOCKS;
  const kinds = KINDS.filter((kind) => ALWAYS.includes(kind) || below(3) === 0);
  const generator = new Generator(below, kinds, 4 + below(MOST_STATEMENTS - 3));
  return { guarded, main: generator.body(0, 4) };
}

class Generator {
  readonly #below: Below;
  readonly #kinds: readonly Kind[];
  // How many statements may still be made.
  #left: number;

  constructor(below: Below, kinds: readonly Kind[], size: number) {
    this.#below = below;
    this.#kinds = kinds;
    this.#left = size;
  }

  body(depth: number, longest: number): Body {
    const statements: Statement[] = [];
    const length = 1 + this.#below(longest);
    while (statements.length < length && (this.#left > 0 || statements.length === 0)) {
      statements.push(this.#statement(depth));
    }
    return statements;
  }

  #statement(depth: number): Statement {
    this.#left -= 1;
    const isLeaf = depth >= DEEPEST || this.#left <= 0;
    const kind = this.#choose(this.#kinds.filter((each) => !isLeaf || SHAPES[each].bodies[1] === 0));
    const { numbers, bodies }: Shape = SHAPES[kind];
    const [least, most] = bodies;
    const count = least + this.#below(most - least + 1);
    return {
      kind,
      numbers: Object.values(numbers).map((largest) => this.#below(largest + 1)),
      bodies: Array.from({ length: count }, () => this.body(depth + 1, 3)),
    };
  }

  #choose(kinds: readonly Kind[]): Kind {
    let at = this.#below(kinds.reduce((sum, kind) => sum + SHAPES[kind].weight, 0));
    const found = kinds.find((kind) => {
      at -= SHAPES[kind].weight;
      return at < 0;
    });
    return found ?? "checkpoint";
  }
}
