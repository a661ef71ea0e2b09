// Reads the list, and decides what of it is requested: what an earlier run has finished, what the list has named before
// and what is no URL gets its record here.

import { ParkingLot } from "meanwhile/lowlevel";

import type { IoOptions } from "./io-options.ts";
import { type Journal, journalKey } from "./journal.ts";
import { KeyTable } from "./key-table.ts";
import type { Ledger } from "./ledger.ts";
import { type FetchRecord, shownUrl, type SkipReason } from "./record.ts";
import type { RequestPlan } from "./request-plan.ts";
import type { Saver } from "./saver.ts";
import type { Schedule } from "./schedule.ts";
import type { Statistics } from "./statistics.ts";
import type { BadLine } from "./target-maker.ts";
import { Target } from "./target.ts";
import { type OpenSource, readTargets } from "./targets.ts";

/** How much the URLs and bodies that are read ahead may take, in bytes: a line may have 64 KiB. */
const MOST_HELD = 32 * 1024 * 1024;

export interface IntakeOptions {
  readonly sources: readonly OpenSource[];
  readonly io: Pick<IoOptions, "dedupe" | "inputFormat" | "maxUrls" | "onlyFailed">;
  readonly plan: Pick<RequestPlan, "method" | "body">;
  readonly journal: Journal | undefined;
  readonly ledger: Ledger;
  readonly statistics: Statistics;
  readonly schedule: Schedule;
  /** Undefined if bodies are not saved. */
  readonly saver: Pick<Saver, "existing"> | undefined;
  /** Called when a line is no URL, which counts as a failure. */
  readonly refused: () => void;
}

export class Intake {
  readonly #options: IntakeOptions;
  readonly #seen: KeyTable | undefined;
  readonly #room = new ParkingLot({ describe: () => "room for more of the list" });
  // Invariant: the weight of all targets that are handed out and not released.
  #held = 0;

  constructor(options: IntakeOptions) {
    this.#options = options;
    if (options.io.dedupe) this.#seen = new KeyTable();
  }

  /**
   * Reads the list to its end, and hands out what has to be requested, as fast as there is room for it.
   *
   * Cancellation: ends the reading.
   *
   * @throws {@link CommandError} with exit code 3 if a source cannot be read on
   */
  async read(add: (target: Target) => Promise<void>): Promise<void> {
    const { sources, io, statistics, ledger, saver } = this.#options;
    for await (const batch of readTargets(sources, { format: io.inputFormat, maxUrls: io.maxUrls })) {
      statistics.read += batch.length;
      for (const item of batch) {
        const open = ledger.whenOpen(item.index);
        if (open !== null) await this.#whileHeld(open);
        if (!(item instanceof Target)) this.#refuse(item);
        else if (!this.#skips(item) && (saver === undefined || !(await this.#exists(item, saver)))) {
          if (this.#held > MOST_HELD) await this.#whenLess();
          this.#held += item.weight;
          await add(item);
        }
        const room = ledger.whenRoom();
        if (room !== null) await room;
      }
    }
    statistics.isTotal = true;
  }

  /** A target is dealt with. */
  release(target: Target): void {
    this.#held -= target.weight;
    if (this.#held <= MOST_HELD) this.#room.unparkAll();
  }

  async #whenLess(): Promise<void> {
    while (this.#held > MOST_HELD) await this.#whileHeld(this.#room.park());
  }

  /** Waits for targets that are under way. Those that are put off until all others are done would be waited for in vain. */
  async #whileHeld(wait: Promise<void>): Promise<void> {
    const { schedule } = this.#options;
    schedule.holdReader(true);
    try {
      await wait;
    } finally {
      schedule.holdReader(false);
    }
  }

  #skips(target: Target): boolean {
    const { journal, plan, io } = this.#options;
    if (journal !== undefined) target.key = journalKey(target, plan);
    const reason = this.#isRepeated(target) ? "duplicate" : journal?.take(target.key, io);
    if (reason === undefined) return false;
    this.#options.ledger.record(skippedRecord(target, reason), target.key);
    return true;
  }

  async #exists(target: Target, saver: Pick<Saver, "existing">): Promise<boolean> {
    const file = await saver.existing(target);
    if (file === undefined) return false;
    this.#options.ledger.record({ ...skippedRecord(target, "exists"), file }, target.key);
    return true;
  }

  #isRepeated(target: Target): boolean {
    if (this.#seen === undefined) return false;
    const url = new URL(target.text);
    url.hash = ""; // is not sent
    const { id: _, ...request } = target.request;
    return !this.#seen.add(journalKey(new Target(0, url.href, "", request), this.#options.plan));
  }

  #refuse({ index, text, problem }: BadLine): void {
    const error = { code: "bad_url", message: problem } as const;
    this.#options.ledger.record({ index, url: shownUrl(text), ok: false, bytes: 0, ms: 0, attempts: 0, error }, "");
    this.#options.refused();
  }
}

function skippedRecord({ index, text, request }: Target, skipped: SkipReason): FetchRecord {
  return { index, id: request.id, url: shownUrl(text), ok: true, skipped, bytes: 0, ms: 0, attempts: 0 };
}
