// What the pools of the tests call.

import { appendFileSync } from "node:fs";
import { threadId, type MessagePort } from "node:worker_threads";

import { checkpoint, createTask, currentScope, now, sleep, sleepForever } from "meanwhile";
import { isCancelRequested, moved, reportProgress } from "meanwhile/workers";

export function add(a: number, b: number): number {
  return a + b;
}

export function echo<T>(value: T): T {
  return value;
}

export function count(...args: unknown[]): number {
  return args.length;
}

export function square(x: number): number {
  return x * x;
}

export async function squareLater(x: number): Promise<number> {
  await checkpoint();
  return x * x;
}

export function where(): number {
  return threadId;
}

export function processId(): number {
  return process.pid;
}

export class Refusal extends TypeError {
  override readonly name = "Refusal";
  readonly code = "E_REFUSED";
  readonly detail: { readonly tries: number } = { tries: 3 };
}

export function refuse(text: string): never {
  throw new Refusal(text, { cause: new RangeError("the cause") });
}

export async function refuseLater(text: string): Promise<never> {
  await sleep(1);
  throw new RangeError(text);
}

export function refuseItem(item: number, at?: number): number {
  if (item === (at ?? 3)) throw new RangeError(`not ${item}`);
  return item;
}

/** Notes in a file that it was called: what was called twice is there twice. */
export function note(file: string, line: string): string {
  appendFileSync(file, `${line}\n`);
  return line;
}

export function noteAndExit(file: string, line: string): void {
  note(file, line);
  process.exit(7);
}

/** Dies the first times, then returns. */
export function dieUntil(file: string, times: SharedArrayBuffer, wanted: number): number {
  note(file, "try");
  const tries = Atomics.add(new Int32Array(times), 0, 1) + 1;
  if (tries < wanted) process.exit(9);
  return tries;
}

export function exit(code: number): void {
  process.exit(code);
}

/** Returns what it is given, but for 0, at which it dies. */
export function dieAtZero(value: number): number {
  if (value === 0) process.exit(0);
  return value;
}

export function killSelf(signal: string): Promise<void> {
  process.kill(process.pid, signal);
  return sleepForever();
}

export function throwInTimer(_code?: number): Promise<void> {
  setTimeout(() => {
    throw new RangeError("nobody caught it");
  }, 0);
  return sleepForever();
}

export function rejectAside(): Promise<void> {
  const nobodyAwaits: { readonly of?: unknown } = { of: Promise.reject(new RangeError("nobody caught it")) };
  void nobodyAwaits;
  return sleepForever();
}

export function failInBackground(): Promise<void> {
  createTask(() => Promise.reject(new RangeError("in the background")));
  return sleepForever();
}

export function fillMemory(): number {
  const kept: unknown[] = [];
  for (;;) kept.push(Array.from({ length: 10_000 }, (_, i) => ({ i })));
}

/** Says that it runs, and then listens as `how` says. */
export async function listen(how: "asking" | "waiting" | "deaf"): Promise<string> {
  reportProgress("it runs");
  if (how === "waiting") await sleepForever();
  const isDeaf = how === "deaf";
  for (;;) if (!isDeaf && isCancelRequested()) return "told";
}

/** Computes until it is told to end. */
export function compute(started?: Int32Array<SharedArrayBuffer>): string {
  announce(started);
  while (!isCancelRequested());
  return "told";
}

/** Computes and listens to nobody. */
export function computeForever(started?: Int32Array<SharedArrayBuffer>): never {
  announce(started);
  for (;;);
}

export async function waitForever(started?: Int32Array<SharedArrayBuffer>): Promise<void> {
  announce(started);
  await sleepForever();
}

/** Never ends, and waits for nothing of meanwhile's. */
export function hang(started?: Int32Array<SharedArrayBuffer>): Promise<void> {
  announce(started);
  return new Promise(() => {});
}

/** Is told, cleans up, and then lets the cancellation pass. */
export async function cleanUp(
  started: Int32Array<SharedArrayBuffer>,
  cleaned: Int32Array<SharedArrayBuffer>,
): Promise<void> {
  try {
    announce(started);
    await sleepForever();
  } finally {
    Atomics.add(cleaned, 0, 1);
  }
}

/** Returns in spite of its cancellation. */
export async function insist(started: Int32Array<SharedArrayBuffer>): Promise<string> {
  announce(started);
  await sleepForever().catch(() => {});
  return "all the same";
}

/** Waits until the cell is set, without giving the thread away. */
export function blockUntil(cell: Int32Array<SharedArrayBuffer>, started?: Int32Array<SharedArrayBuffer>): string {
  announce(started);
  while (Atomics.load(cell, 0) === 0) Atomics.wait(cell, 0, 0, 5);
  return "unblocked";
}

/** The same, but others go on. */
export async function waitUntil(
  cell: Int32Array<SharedArrayBuffer>,
  started?: Int32Array<SharedArrayBuffer>,
): Promise<string> {
  announce(started);
  const waited = Atomics.waitAsync(cell, 0, 0);
  if (waited.async) await waited.value;
  return "unblocked";
}

function announce(started: Int32Array<SharedArrayBuffer> | undefined): void {
  if (started === undefined) return;
  Atomics.add(started, 0, 1);
  Atomics.notify(started, 0);
}

export function timeLeft(): number {
  return currentScope().deadline - now();
}

/** Ends on its own deadline. */
export async function cancelMyself(): Promise<void> {
  currentScope().cancel("enough");
  await sleepForever();
}

export async function report(values: readonly unknown[]): Promise<string> {
  for (const value of values) {
    reportProgress(value);
    await checkpoint();
  }
  return "reported";
}

export function reportAndCompute(value: unknown, cell: Int32Array<SharedArrayBuffer>): void {
  reportProgress(value);
  while (Atomics.load(cell, 0) === 0) Atomics.wait(cell, 0, 0, 5);
}

export function uncloneable(): unknown {
  return { user: { save: () => {} } };
}

export function fill(buffer: Uint8Array, value: number): Uint8Array {
  buffer.fill(value);
  return moved(buffer);
}

export function answerOn(port: MessagePort, value: unknown): void {
  port.postMessage(value);
  port.close();
}

export function makeChannel(): MessagePort {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage("hello");
  port1.close();
  return port2;
}

export function increment(cells: Int32Array<SharedArrayBuffer>, times: number): void {
  for (let i = 0; i < times; i++) Atomics.add(cells, 0, 1);
}

let prefix = "";

export function setPrefix(text: string): void {
  prefix = text;
}

export function withPrefix(text: string): string {
  return prefix + text;
}

export function failToStart(): never {
  throw new RangeError("no start today");
}

export function log(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function environment(name: string): string | undefined {
  return process.env[name];
}

/** Takes about as long as nothing, but not nothing. */
export function spinBriefly(x: number): number {
  const end = performance.now() + 0.02;
  while (performance.now() < end);
  return x;
}

export function bump(counter: { n: number }): number {
  return ++counter.n;
}

const SHARED = { n: 0 };

export function shared(): { n: number } {
  return SHARED;
}

/** Computes for so long. */
export function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

export function byteLength(buffer: Uint8Array): number {
  return buffer.byteLength;
}

export function getterThatThrows(): object {
  return {
    get inner(): never {
      throw new RangeError("from a getter");
    },
  };
}

/** Reports what cannot be sent, and returns what it is told. */
export function reportFunction(): string {
  try {
    reportProgress(() => 1);
  } catch (error) {
    return String(error);
  }
  return "not told";
}

export async function napFor(ms: number): Promise<void> {
  await sleep(ms);
}

export function sendMessage(): string {
  process.send?.("ready");
  return "sent";
}

/** Cuts a process off from its pool, and does not end. */
export function disconnect(): Promise<void> {
  process.on("exit", () => {
    for (;;);
  });
  process.disconnect?.();
  return sleepForever();
}

export async function nap(ms: number): Promise<string> {
  await sleep(ms);
  return "rested";
}

export async function limitMyself(ms: number): Promise<void> {
  currentScope().deadline = now() + ms;
  await sleepForever();
}

export async function reportAndRefuse(text: string): Promise<never> {
  reportProgress("soon");
  await checkpoint();
  return refuse(text);
}

export function manyBytes(length: number): Uint8Array {
  return new Uint8Array(length).fill(7);
}

export function blob(): unknown {
  return { parts: [new Blob(["text"])] };
}

/** Dies before its result could be sent. */
export function throwAtOnce(): Promise<void> {
  process.nextTick(() => {
    throw new RangeError("nobody caught it");
  });
  return sleepForever();
}

/** How a view came, and what it can see of the memory around it. */
export function viewed(view: ArrayBufferView): unknown {
  const { buffer, byteOffset } = view;
  return { view, whole: buffer.byteLength, byteOffset, byteLength: view.byteLength };
}

export function failWith(held: "memory" | "blob"): never {
  const value = held === "blob" ? new Blob(["a"]) : { deep: new SharedArrayBuffer(1) };
  throw Object.assign(new TypeError("failed"), { code: "E_HELD", value, kept: [1] });
}

export function nestedObjects(depth: number): unknown {
  let value: unknown = 0;
  for (let i = 0; i < depth; i++) value = { value };
  return value;
}

export function depthOf(value: unknown): number {
  let depth = 0;
  for (let next = value; typeof next === "object" && next !== null && "value" in next; next = next.value) depth += 1;
  return depth;
}

export function functionAt(n: number): unknown {
  return n === 21 ? { run: () => 1 } : n;
}

export function closedPort(): unknown {
  const { port1, port2 } = new MessageChannel();
  structuredClone(port1, { transfer: [port1] }).close();
  port2.close();
  return { port: port1 };
}

export function failWithClosedPort(): never {
  throw Object.assign(new TypeError("failed"), closedPort());
}
