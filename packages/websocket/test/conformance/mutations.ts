// Frames that were right before something happened to them: the same for the same seed, on every machine.

import { binary, close, frame, more, OPEN, ping, pong, text } from "./case.ts";
import { deflated } from "./deflating.ts";
import { CLOSE, CONTINUATION, encode, type Frame, RSV1, type Side, TEXT } from "./wire.ts";

/** Numbers from 0 to below 1 that look random (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const COMPRESSED = { rsv: RSV1 };

const ORIGINALS: readonly Frame[] = [
  text("hello"),
  text("κόσμε 💻 ".repeat(20)),
  text(""),
  binary(Buffer.from([0, 255, 1, 254])),
  binary(Buffer.alloc(300, 7)),
  binary(Buffer.alloc(70_000, 9)),
  text("one", OPEN),
  more("two", OPEN),
  more("three"),
  ping("ping"),
  pong("pong"),
  close(1000, "bye"),
  close(4321),
  frame(TEXT, deflated("hello hello hello"), COMPRESSED),
  frame(TEXT, deflated("abcdefgh".repeat(200)), COMPRESSED),
  frame(TEXT, deflated("half of it").subarray(0, 5), { ...COMPRESSED, fin: false }),
];

/** Those that end no connection. */
const RIGHT = ORIGINALS.filter(
  ({ opcode, fin, rsv }) => opcode !== CLOSE && opcode !== CONTINUATION && fin && rsv === 0,
);

type Mutation = (bytes: Buffer, at: number, random: () => number) => Buffer;

const anyByte = (random: () => number): number => Math.floor(random() * 256);

function replaced(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = change(changed[at] ?? 0);
  return changed;
}

const MUTATIONS: readonly Mutation[] = [
  (bytes, at, random) => replaced(bytes, at, (byte) => byte ^ (1 << Math.floor(random() * 8))),
  (bytes, at, random) => replaced(bytes, at, () => anyByte(random)),
  (bytes, at) => replaced(bytes, at, () => 0xff),
  (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
  (bytes, at, random) => Buffer.concat([bytes.subarray(0, at), Buffer.from([anyByte(random)]), bytes.subarray(at)]),
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => bytes.subarray(at),
  (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes]),
  (bytes, at, random) =>
    Buffer.concat([bytes.subarray(0, at), Buffer.from(Array.from({ length: 9 }, () => anyByte(random)))]),
];

type Pick = <Value>(values: readonly Value[], fallback: Value) => Value;

/** What `side` sends over one connection: a frame to which one to three things happened, and up to three right ones around it. */
export function around(seed: number, side: Side): Buffer[] {
  const random = randomOf(seed);
  const pick: Pick = (values, fallback) => values[Math.floor(random() * values.length)] ?? fallback;
  const rightOnes = (most: number): Buffer[] =>
    Array.from({ length: Math.floor(random() * (most + 1)) }, () => encode(pick(RIGHT, text("")), side));
  return [...rightOnes(2), mutated(encode(pick(ORIGINALS, text("")), side), random, pick), ...rightOnes(1)];
}

function mutated(original: Buffer, random: () => number, pick: Pick): Buffer {
  let bytes = original;
  for (let times = 1 + Math.floor(random() * 3); times > 0; times -= 1) {
    // Half of the time in the head, where the most depends on a bit.
    const within = random() < 0.5 ? Math.min(14, bytes.length) : bytes.length;
    bytes = pick(MUTATIONS, (same: Buffer) => same)(bytes, Math.floor(random() * within), random);
  }
  return bytes;
}
