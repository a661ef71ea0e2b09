// Queues on Redis or Valkey.

import { Queue, Worker } from "bullmq";
import { Redis, type RedisOptions } from "ioredis";

import { bullEngine } from "./bull-engine.ts";
import { type Control, isConnectionTrouble } from "./control.ts";
import type { Engine, QueueSettings } from "./engine.ts";
import { inTime } from "./in-time.ts";

const { clearTimeout, setTimeout } = globalThis;

/** Longer results are looked up: a subscriber that falls behind is cut off by the server. */
const MAX_TEXT_BYTES = 64 * 2 ** 10;

/** How long a server may take to end a connection that was ended here. */
const GOODBYE_MS = 500;

/** The queues of a Redis server. */
export function redisEngine(url: string): Engine {
  return bullEngine({
    isCountCheap: true,
    control: (settings, listener) => RedisControl.open(url, settings, listener),
    queue: (name, options, control) => new Queue(name, { ...options, connection: (control as RedisControl).commands }),
    worker: (name, processor, options, control) =>
      new Worker(name, processor, { ...options, connection: (control as RedisControl).commands }),
  });
}

class RedisControl implements Control {
  readonly maxTextBytes = MAX_TEXT_BYTES;
  readonly commands: Redis;
  readonly #subscriber: Redis;
  readonly #settings: QueueSettings;

  private constructor(commands: Redis, subscriber: Redis, settings: QueueSettings) {
    this.commands = commands;
    this.#subscriber = subscriber;
    this.#settings = settings;
  }

  static async open(url: string, settings: QueueSettings, listener: { gap(): void }): Promise<RedisControl> {
    const commands = new Redis(url, optionsOf(settings));
    const subscriber = new Redis(url, { ...optionsOf(settings), autoResubscribe: true });
    // What connect() is rejected with does not say why.
    let newest: unknown;
    for (const redis of [commands, subscriber]) redis.on("error", (error) => (newest = error));
    try {
      // It waits for as long as a server takes that has accepted, and says nothing.
      await inTime(settings.connectTimeoutMs, Promise.all([commands.connect(), subscriber.connect()]));
    } catch (error) {
      commands.disconnect();
      subscriber.disconnect();
      throw newest ?? error;
    }
    newest = undefined;
    // Subscribed again by then, but not to what was said before.
    subscriber.on("ready", () => setTimeout(() => listener.gap(), 50).unref());
    return new RedisControl(commands, subscriber, settings);
  }

  #key(kind: string, id: string): string {
    return `meanwhile:${this.#settings.queue}:${kind}:${id}`;
  }

  async publish(messages: ReadonlyArray<readonly [channel: string, text: string]>): Promise<void> {
    await Promise.all(messages.map(([channel, text]) => this.commands.publish(this.#key("to", channel), text)));
  }

  async subscribe(channels: readonly string[], received: (text: string) => void): Promise<void> {
    this.#subscriber.on("message", (_channel, text) => received(text));
    await this.#subscriber.subscribe(...channels.map((channel) => this.#key("to", channel)));
  }

  async lease(id: string, ttlMs: number): Promise<number> {
    const [, time] = await Promise.all([
      this.commands.set(this.#key("client", id), "1", "PX", Math.ceil(Math.min(ttlMs, 2 ** 40))),
      this.time(),
    ]);
    return time;
  }

  // A connection to nobody would not be noticed for minutes. BullMQ sees to its own that waits for jobs.
  #check(redis: Redis): void {
    if (redis.status !== "ready") return;
    const timer = setTimeout(() => redis.disconnect(true), Math.min(this.#settings.lostAfterMs / 3, 2 ** 31 - 1));
    timer.unref();
    const answered = (): void => clearTimeout(timer);
    redis.ping().then(answered, answered);
  }

  async unlease(id: string): Promise<void> {
    await this.commands.del(this.#key("client", id));
  }

  async alive(ids: readonly string[]): Promise<boolean[]> {
    const leases = await this.commands.mget(ids.map((id) => this.#key("client", id)));
    // A server that has just come back may have forgotten them.
    const isAmnesic = leases.includes(null) && (await this.#uptimeMs()) < this.#settings.lostAfterMs;
    return leases.map((lease) => lease !== null || isAmnesic);
  }

  async #uptimeMs(): Promise<number> {
    const info = await this.commands.info("server");
    return Number(/uptime_in_seconds:(\d+)/.exec(info)?.[1] ?? 0) * 1_000;
  }

  async time(): Promise<number> {
    for (const redis of [this.#subscriber, this.commands]) this.#check(redis);
    const [seconds, micros] = await this.commands.time();
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  }

  async close(): Promise<void> {
    this.#subscriber.disconnect();
    this.commands.disconnect();
  }

  isPassing(error: unknown): boolean {
    return isConnectionTrouble(error);
  }
}

function optionsOf({ connectTimeoutMs }: QueueSettings): RedisOptions {
  return {
    lazyConnect: true,
    // BullMQ asks for that: a command waits until the server is back. Whoever waits for it has a deadline, or `unreachableMs`.
    maxRetriesPerRequest: null,
    connectTimeout: Math.min(connectTimeoutMs, 2 ** 31 - 1),
    // A server that says nothing does not say goodbye either, and until then it keeps the process alive.
    disconnectTimeout: GOODBYE_MS,
    retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
  };
}
