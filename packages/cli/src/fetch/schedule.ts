// Decides which URL is next: fair over hosts, within the limits of each host, at the pace of the run.
//
// A target is   queued ──take()──▶ active ──finish()──▶ out
//                  ▲                 └──postpone()──▶ postponed ──requeue()──▶ queued

import { now } from "meanwhile";
import { enterCheckpoint, ParkingLot } from "meanwhile/lowlevel";

import { HostRing } from "./host-ring.ts";
import { Host } from "./host.ts";
import { ScheduleExit } from "./schedule-exit.ts";
import type { Target } from "./target.ts";

export interface ScheduleOptions {
  readonly perHost: number;
  readonly ratePerSecond: number;
  readonly perHostRatePerSecond: number;
  /** How many targets may be in the schedule. */
  readonly capacity: number;
  /** Calls back after so many milliseconds, unless the run has ended. */
  readonly later: (delayMs: number, callback: () => void) => void;
}

export class Schedule {
  readonly #hosts = new Map<string, Host>();
  readonly #ring: HostRing;
  readonly #exit: ScheduleExit;
  readonly #readers = new ParkingLot({ describe: () => "room to read on in the list" });
  readonly #options: ScheduleOptions;
  #pending = 0;
  // Those that wait in the queues of deferred hosts.
  #deferred = 0;
  #isClosed = false;
  #isReaderHeld = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#ring = new HostRing({
      perHostRatePerSecond: options.perHostRatePerSecond,
      later: options.later,
      onDue: (host) => {
        this.#forgetIfUnused(host);
        this.#exit.serve();
      },
    });
    this.#exit = new ScheduleExit(this.#ring, options);
  }

  /** How many targets are in the schedule, in whatever state. */
  get pending(): number {
    return this.#pending;
  }

  /** How many wait in {@link take}. */
  get idle(): number {
    return this.#exit.waiting;
  }

  /** How many hosts are known: those with pending targets, a pause, or a failure that counts. */
  get hostCount(): number {
    return this.#hosts.size;
  }

  /**
   * Adds a target, waiting for room.
   *
   * Cancellation: a call that throws has added nothing.
   */
  async add(target: Target): Promise<void> {
    if (this.#pending >= this.#options.capacity) await this.#readers.park();
    const { origin } = target;
    const host = this.hostOf(origin);
    target.host = host;
    host.pending += 1;
    this.#pending += 1;
    this.#enqueue(target, host);
  }

  /**
   * Says whether nothing is added before a target that is in here is finished: then this is the end of everything else,
   * and what is put off to it must not be waited for.
   */
  holdReader(isHeld: boolean): void {
    this.#isReaderHeld = isHeld;
    this.#endIfDone();
  }

  /** Says that nothing will be added any more. */
  close(): void {
    this.#isClosed = true;
    this.#endIfDone();
  }

  /**
   * The next target to request, waiting for one; null when there is none left.
   *
   * Cancellation: a call that throws has taken no target.
   */
  async take(): Promise<Target | null> {
    const turn = enterCheckpoint();
    if (turn !== null) await turn;
    if (this.#isClosed && this.#pending === 0) return null;
    return this.#exit.next() ?? this.#exit.wait();
  }

  /** A target that was taken is dealt with. */
  finish(target: Target): void {
    const host = this.#release(target);
    this.#pending -= 1;
    host.pending -= 1;
    this.#forgetIfUnused(host);
    if (this.#pending < this.#options.capacity) this.#readers.unpark();
    this.#exit.serve();
    this.#endIfDone();
  }

  /** A target that was taken will be requested again, not now: {@link requeue} says when. */
  postpone(target: Target): void {
    this.#release(target);
    this.#exit.serve();
    this.#endIfDone();
  }

  requeue(target: Target): void {
    this.#enqueue(target, target.host);
  }

  /** Starts no request to the target's host for so many milliseconds. */
  pauseHost({ host }: Pick<Target, "host">, forMs: number): void {
    const until = now() + forMs;
    if (until <= host.pausedUntil) return;
    const { isPaused } = host;
    host.pausedUntil = until;
    if (!isPaused) this.#options.later(forMs, () => this.#resumeIfDue(host));
  }

  /** As {@link pauseHost}; what is queued then, at the end of everything else, is handed out to be refused. */
  deferHost({ host }: Pick<Target, "host">, forMs: number): void {
    this.pauseHost({ host }, forMs);
    if (host.mode !== "open") return;
    host.mode = "deferred";
    this.#deferred += host.queued;
    this.#endIfDone();
  }

  /** From now on the targets of the host are handed out only to be refused. */
  breakHost(target: Target): void {
    const host = target.host;
    if (host.mode === "broken") return;
    if (host.mode === "deferred") this.#deferred -= host.queued;
    host.mode = "broken";
    this.#ring.enter(host);
    this.#exit.serve();
  }

  /** How many targets of the host may be active from now on. */
  allow(host: Host, count: number): void {
    host.allowed = count;
    this.#ring.enter(host);
    this.#exit.serve();
  }

  /** Takes out everything that is queued, for the end of a run that was stopped. */
  *drain(): Generator<Target> {
    for (const host of this.#hosts.values()) {
      for (let target = host.queue.shift(); target !== null; target = host.queue.shift()) yield target;
    }
  }

  /** What is known of a host, which may have no target in here. */
  hostOf(origin: string): Host {
    let host = this.#hosts.get(origin);
    if (host === undefined) this.#hosts.set(origin, (host = new Host(origin, this.#options.perHost)));
    return host;
  }

  #enqueue(target: Target, host: Host): void {
    host.queue.push(target);
    host.queued += 1;
    if (host.mode === "deferred") {
      this.#deferred += 1;
      // Put off, but not at any price: the rest of the list has to have room.
      if (this.#deferred > this.#options.capacity / 2) this.#refuse(host);
    }
    this.#ring.enter(host);
    this.#exit.serve();
    this.#endIfDone();
  }

  /** The target is active no more; its host may have room again. */
  #release(target: Target): Host {
    const host = target.host;
    host.active -= 1;
    this.#ring.enter(host);
    return host;
  }

  #resumeIfDue(host: Host): void {
    const leftMs = host.pausedUntil - now();
    if (leftMs > 0) return this.#options.later(leftMs, () => this.#resumeIfDue(host));
    host.pausedUntil = -Infinity;
    if (host.mode === "deferred") this.#deferred -= host.queued;
    if (host.mode !== "broken") host.mode = "open";
    this.#ring.enter(host);
    this.#forgetIfUnused(host);
    this.#exit.serve();
  }

  #refuse(host: Host): void {
    this.#deferred -= host.queued;
    host.mode = "refusing";
    this.#ring.enter(host);
  }

  // A list may name a million hosts: only those in use are kept, and those that are given up.
  #forgetIfUnused(host: Host): void {
    if (host.pending > 0 || host.isPaused || host.isPacing || host.mode === "broken") return;
    // Its next target may come at once, and has to wait as the others did.
    if (!this.#ring.waitForPace(host)) this.#hosts.delete(host.origin);
  }

  #endIfDone(): void {
    if (!this.#isClosed && !this.#isReaderHeld) return;
    if (this.#pending === 0) {
      if (this.#isClosed) this.#exit.close();
      return;
    }
    if (this.#deferred < this.#pending) return;
    for (const host of this.#hosts.values()) if (host.mode === "deferred") this.#refuse(host);
    this.#exit.serve();
  }
}
