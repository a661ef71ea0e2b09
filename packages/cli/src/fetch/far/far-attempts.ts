// Attempts that are made by workers on other machines. List, journal, limits and retries stay here, so they hold over all
// workers together.

import { type Cluster, ClusterError, connectCluster } from "@meanwhile/cluster";
import { WorkerError } from "meanwhile/workers";

import { CommandError, EXIT } from "../../errors.ts";
import { printError } from "../../output/streams.ts";
import type { Brakes } from "../brakes.ts";
import type { FetchOptions } from "../options.ts";
import type { Outcome } from "../outcome.ts";
import type { Target } from "../target.ts";
import { answerOf } from "./answer.ts";
import { type FarRun, farRun, orderFor } from "./order.ts";
import { FETCH_QUEUE } from "./queue.ts";
import { clusterSecret } from "./secret.ts";

const IDEMPOTENT: ReadonlySet<string> = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PUT", "TRACE"]);

/** Longer than a request usually takes. */
const NOBODY_MS = 10_000;
const NOBODY =
  "meanwhile: no request was made yet; is there a worker? Start meanwhile worker --fetch on some machine\n";

type Functions = typeof import("./functions.ts");

/** Makes attempts far from here. */
export class FarAttempts implements AsyncDisposable {
  readonly #cluster: Cluster<Functions>;
  readonly #options: FetchOptions;
  readonly #run: FarRun;
  readonly #brakes: Brakes;
  /** Tells that nobody makes any requests; null once somebody has, or was to. */
  #alarm: ReturnType<typeof setTimeout> | null = null;
  #hasBegun = false;

  private constructor(cluster: Cluster<Functions>, options: FetchOptions, brakes: Brakes) {
    this.#cluster = cluster;
    this.#options = options;
    this.#run = farRun(options);
    this.#brakes = brakes;
  }

  /**
   * Connects to the workers of a run; undefined if it has none.
   *
   * @throws {@link CommandError} with exit code 3 if the queue cannot be reached
   */
  static async open(options: FetchOptions, brakes: Brakes): Promise<FarAttempts | undefined> {
    const { cluster: url, maxBytes, body } = options;
    if (url === undefined) return undefined;
    const secret = clusterSecret();
    // A body as text, in quotes and escapes, or in base64.
    const maxResultBytes = body === "none" ? undefined : Math.min(6 * maxBytes + 2 ** 16, 2 ** 29);
    try {
      const cluster = await connectCluster<Functions>(url, { queue: FETCH_QUEUE, secret, maxResultBytes });
      return new FarAttempts(cluster, options, brakes);
    } catch (error) {
      if (error instanceof ClusterError) throw new CommandError(EXIT.notStarted, error.message, { cause: error });
      throw error;
    }
  }

  /**
   * Has the target requested once. That a worker is lost is an outcome, not an error.
   *
   * Cancellation: reaches the request.
   *
   * @throws {@link CommandError} with exit code 3 if no worker can do it
   */
  async attempt(target: Target): Promise<Outcome> {
    const order = orderFor(this.#run, this.#options, target);
    this.#setAlarm();
    try {
      await using job = this.#cluster.start("fetchOne", [order], { isIdempotent: IDEMPOTENT.has(order.method) });
      const outcome = answerOf(await job);
      this.#clearAlarm();
      this.#brakes.countBytes(outcome.bytes);
      return outcome;
    } catch (error) {
      if (error instanceof ClusterError && error.code === "MW_ERR_CLUSTER_TOO_LARGE")
        return { bytes: 0, failure: { code: "too_large", message: "it is too large for the queue" } };
      if (isLoss(error)) return { bytes: 0, failure: { code: "reset", message: "its worker was lost" } };
      if (error instanceof ClusterError) throw new CommandError(EXIT.notStarted, error.message, { cause: error });
      throw error;
    }
  }

  #setAlarm(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    if (this.#options.quiet) return;
    this.#alarm = setTimeout(() => printError(NOBODY), NOBODY_MS);
    this.#alarm.unref();
  }

  #clearAlarm(): void {
    if (this.#alarm !== null) clearTimeout(this.#alarm);
    this.#alarm = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#clearAlarm();
    await this.#cluster[Symbol.asyncDispose]();
  }
}

function isLoss(error: unknown): boolean {
  if (error instanceof WorkerError) return error.code === "MW_ERR_WORKER_CRASHED";
  return error instanceof ClusterError && error.code === "MW_ERR_CLUSTER_WORKER_LOST";
}
