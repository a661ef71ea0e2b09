// A barrier as somebody might write it, with at most one fault.

import { checkpoint } from "meanwhile";
import { enterCheckpoint } from "meanwhile/lowlevel";

import { Line } from "./faulty-line.ts";

export type BarrierFault =
  | "has a count that falls with each call"
  | "counts who was cancelled"
  | "gives everybody the same number"
  | "is left by one who was let go and is cancelled"
  | "lets everybody go on when one is missing"
  | "lets others go on together with those who came"
  | "passes no checkpoint for the last one";

/** With no fault it is a good one. */
export class FaultyBarrier {
  readonly #fault: BarrierFault | null;
  readonly #parties: number;
  readonly #line = new Line<number>("FaultyBarrier.wait");
  // How many calls have come to this round, those that were cancelled included.
  #calls = 0;
  // How many were let go and have not gone on yet.
  #going = 0;
  #allCalls = 0;

  constructor(parties: number, fault: BarrierFault | null = null) {
    this.#fault = fault;
    this.#parties = fault === "lets everybody go on when one is missing" ? Math.max(1, parties - 1) : parties;
  }

  get #isComplete(): boolean {
    const came = this.#fault === "counts who was cancelled" ? this.#calls : this.#line.length;
    return came + 1 >= this.#parties;
  }

  async wait(): Promise<number> {
    this.#allCalls += 1;
    if (!(this.#isComplete && this.#fault === "passes no checkpoint for the last one")) {
      const turn = enterCheckpoint();
      if (turn !== null) await turn;
    }
    if (this.#going > 0 && this.#fault === "lets others go on together with those who came") return this.#parties;
    if (this.#isComplete) return this.#letGo();
    this.#calls += 1;
    const number = await this.#line.wait(undefined);
    this.#going -= 1;
    if (this.#fault === "is left by one who was let go and is cancelled") await checkpoint();
    return number;
  }

  #letGo(): number {
    this.#calls = 0;
    this.#going = this.#line.length;
    const isSame = this.#fault === "gives everybody the same number";
    for (let number = 0; this.#line.wake(isSame ? 0 : number); number++);
    return isSame ? 0 : this.#parties - 1;
  }

  statistics(): object {
    return {
      waiting: this.#line.length,
      calls: this.#fault === "has a count that falls with each call" ? -this.#allCalls : this.#allCalls,
    };
  }
}
