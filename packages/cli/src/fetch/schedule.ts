// Decides which URL is next: fair over hosts, within the limit of each host, at the pace of the run.
//
// A target is   queued ──take()──▶ active ──finish()──▶ out
//                  ▲                 └──postpone()──▶ postponed ──requeue()──▶ queued

import { now } from "meanwhile";
import { enterCheckpoint, ParkingLot } from "meanwhile/lowlevel";

import { Chain } from "./chain.ts";
import { Pace } from "./pace.ts";
import { Host, type Target } from "./target.ts";

export interface ScheduleOptions {
  readonly perHost: number;
  readonly ratePerSecond: number;
  /** How many targets may be in the schedule. */
  readonly capacity: number;
  /** Calls back after so many milliseconds, unless the run has ended. */
  readonly later: (delayMs: number, callback: () => void) => void;
}

export class Schedule {
  readonly #hosts = new Map<string, Host>();
  // The hosts that could start a request, each once; the one served goes to the end. That is the fairness.
  readonly #ring = new Chain<Host>();
  readonly #idle = new ParkingLot<Target | null>({ describe: () => "a URL to fetch" });
  readonly #readers = new ParkingLot({ describe: () => "room to read on in the list" });
  readonly #pace: Pace;
  readonly #options: ScheduleOptions;
  #pending = 0;
  #isClosed = false;
  #isPaceSet = false;

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#pace = new Pace(options.ratePerSecond);
  }

  /** How many targets are in the schedule, in whatever state. */
  get pending(): number {
    return this.#pending;
  }

  /** How many wait in {@link take}. */
  get idle(): number {
    return this.#idle.size;
  }

  /** How many hosts are known: those with pending targets or a pause. */
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
    let host = this.#hosts.get(origin);
    if (host === undefined) this.#hosts.set(origin, (host = new Host(origin)));
    target.host = host;
    host.pending += 1;
    this.#pending += 1;
    this.#enqueue(target, host);
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
    return this.#next() ?? this.#idle.park();
  }

  /** A target that was taken is dealt with. */
  finish(target: Target): void {
    const host = this.#release(target);
    this.#pending -= 1;
    host.pending -= 1;
    this.#forgetIfUnused(host);
    if (this.#pending < this.#options.capacity) this.#readers.unpark();
    this.#serve();
    this.#endIfDone();
  }

  /** A target that was taken will be requested again, not now: {@link requeue} says when. */
  postpone(target: Target): void {
    this.#release(target);
    this.#serve();
  }

  requeue(target: Target): void {
    this.#enqueue(target, target.host);
  }

  /** Starts no request to the target's host for so many milliseconds. */
  pauseHost(target: Target, forMs: number): void {
    const host = target.host;
    const until = now() + forMs;
    if (until <= host.pausedUntil) return;
    const { isPaused } = host;
    host.pausedUntil = until;
    if (!isPaused) this.#options.later(forMs, () => this.#resumeIfDue(host));
  }

  /** As {@link pauseHost}, and until then its targets are handed out only to be refused: see {@link isRefused}. */
  refuseHost(target: Target, forMs: number): void {
    this.pauseHost(target, forMs);
    const host = target.host;
    host.isRefusing = true;
    this.#enterRing(host);
  }

  /** Whether the target must not be requested because its host wants to be left alone for too long. */
  isRefused(target: Target): boolean {
    const host = target.host;
    return host.isRefusing && host.pausedUntil > now();
  }

  /** Takes out everything that is queued, for the end of a run that was stopped. */
  *drain(): Generator<Target> {
    for (const host of this.#hosts.values()) {
      for (let target = host.queue.shift(); target !== null; target = host.queue.shift()) yield target;
    }
  }

  #enqueue(target: Target, host: Host): void {
    host.queue.push(target);
    this.#enterRing(host);
    this.#serve();
  }

  /** The target is active no more; its host may have room again. */
  #release(target: Target): Host {
    const host = target.host;
    host.active -= 1;
    this.#enterRing(host);
    return host;
  }

  #enterRing(host: Host): void {
    const isWaiting = host.isPaused && !host.isRefusing;
    const isFull = host.active >= this.#options.perHost;
    if (host.isInRing || isWaiting || isFull || host.queue.isEmpty) return;
    host.isInRing = true;
    this.#ring.push(host);
  }

  #next(): Target | undefined {
    const time = now();
    while (!this.#ring.isEmpty) {
      const delayMs = this.#pace.delayMs(time);
      if (delayMs > 0) return this.#wakeAtPace(delayMs);
      const target = this.#nextOf(this.#ring.shift());
      if (target === null) continue;
      if (!target.host.isRefusing) this.#pace.start(time);
      return target;
    }
    return undefined;
  }

  #nextOf(host: Host | null): Target | null {
    if (host === null) return null;
    host.isInRing = false;
    if (host.isPaused && !host.isRefusing) return null; // paused since; resuming puts it back
    const target = host.queue.shift();
    if (target !== null) host.active += 1;
    this.#enterRing(host);
    return target;
  }

  #wakeAtPace(delayMs: number): undefined {
    if (this.#isPaceSet) return;
    this.#isPaceSet = true;
    this.#options.later(delayMs, () => {
      this.#isPaceSet = false;
      this.#serve();
    });
  }

  /** Hands what is ready to those who wait for it. */
  #serve(): void {
    while (this.#idle.size > 0) {
      const target = this.#next();
      if (target === undefined) return;
      this.#idle.unpark(target);
    }
  }

  #resumeIfDue(host: Host): void {
    const leftMs = host.pausedUntil - now();
    if (leftMs > 0) return this.#options.later(leftMs, () => this.#resumeIfDue(host));
    host.pausedUntil = -Infinity;
    host.isRefusing = false;
    this.#enterRing(host);
    this.#forgetIfUnused(host);
    this.#serve();
  }

  // A list may name a million hosts: only those in use are kept.
  #forgetIfUnused(host: Host): void {
    if (host.pending === 0 && !host.isPaused) this.#hosts.delete(host.origin);
  }

  #endIfDone(): void {
    if (this.#isClosed && this.#pending === 0) this.#idle.unparkAll(null);
  }
}
