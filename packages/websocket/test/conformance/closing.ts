// Cases: how a connection is closed, and what is too much.

import {
  binary,
  type Case,
  close,
  closedBy,
  type Ending,
  fails,
  fragments,
  frame,
  more,
  OPEN,
  ping,
  text,
} from "./case.ts";
import { BINARY, CLOSE, TEXT } from "./wire.ts";

/** Codes that a close frame may have: section 7.4. */
const VALID = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999,
];
const INVALID = [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 65_535];

const empty: { readonly ends: Ending } = { ends: { code: 1005, by: "peer", sends: null } };

const codes: Case[] = [
  ...VALID.map((code) => ({ name: `answers code ${code} with itself`, frames: [close(code)], ...closedBy(code) })),
  ...VALID.map((code) => ({
    name: `takes code ${code} with a reason`,
    frames: [close(code, "Wiedersehen, ψ")],
    ...closedBy(code, "Wiedersehen, ψ"),
  })),
  ...INVALID.map((code) => ({ name: `refuses code ${code}`, frames: [close(code)], ...fails(1002) })),
  ...INVALID.map((code) => ({
    name: `refuses code ${code} with a reason`,
    frames: [close(code, "why")],
    ...fails(1002),
  })),
];

const frames: Case[] = [
  { name: "answers a close frame without a code", frames: [frame(CLOSE)], ...empty },
  { name: "refuses a close frame of one byte", frames: [frame(CLOSE, "\u{3}")], ...fails(1002) },
  { name: "takes a reason of 123 bytes", frames: [close(1000, "*".repeat(123))], ...closedBy(1000, "*".repeat(123)) },
  { name: "refuses a reason of 124 bytes", frames: [close(1000, "*".repeat(124))], ...fails(1002) },
  {
    name: "refuses a reason that is no UTF-8",
    frames: [close(1000, Buffer.from([0xce, 0xba, 0xed, 0xa0, 0x80]))],
    ...fails(1007),
  },
  {
    name: "refuses a reason that ends in the middle of a character",
    frames: [close(1000, Buffer.from([0xf0, 0x9f]))],
    ...fails(1007),
  },
  { name: "refuses a close frame in fragments", frames: [frame(CLOSE, "", OPEN), more()], ...fails(1002) },
];

const after: Case[] = [
  {
    name: "gives the messages before a close frame",
    frames: [text("a"), text("b"), close(1000)],
    messages: ["a", "b"],
    ...closedBy(1000),
  },
  { name: "passes over a message after a close frame", frames: [close(1000), text("late")], ...closedBy(1000) },
  { name: "passes over a ping after a close frame", frames: [close(1001), ping("late")], ...closedBy(1001) },
  { name: "passes over a second close frame", frames: [close(3000), close(4000)], ...closedBy(3000) },
  {
    name: "passes over what is no frame after a close frame",
    frames: [close(1000), frame(15, "x", { rsv: 0x70 })],
    ...closedBy(1000),
  },
  {
    name: "passes over the rest of a message after a close frame",
    frames: [text("a", OPEN), close(1000), more("b")],
    ...closedBy(1000),
  },
];

const SMALL = { maxMessageBytes: 1_000 };
const FEW = { maxFragments: 10 };
const tooLong = (claims: bigint): Case => ({
  name: `refuses a message that claims to have ${claims} bytes before they come`,
  frames: [binary("*", { claims, lengthBits: 64 })],
  ...fails(1009),
});

const limits: Case[] = [
  {
    name: "takes a message as long as it may be",
    options: SMALL,
    frames: [text("*".repeat(1_000))],
    messages: ["*".repeat(1_000)],
  },
  {
    name: "refuses a message that is a byte too long",
    options: SMALL,
    frames: [text("*".repeat(1_001))],
    ...fails(1009),
  },
  { name: "counts bytes, not characters", options: SMALL, frames: [text("ψ".repeat(501))], ...fails(1009) },
  {
    name: "refuses a message that is too long by its head alone",
    options: SMALL,
    frames: [binary("", { claims: 1_001n })],
    ...fails(1009),
  },
  {
    name: "counts the fragments of a message together",
    options: SMALL,
    frames: fragments(BINARY, "*".repeat(500), "*".repeat(500), "*"),
    ...fails(1009),
  },
  {
    name: "counts each message for itself",
    options: SMALL,
    frames: [...fragments(TEXT, "*".repeat(500), "*".repeat(500)), text("*".repeat(1_000))],
    messages: ["*".repeat(1_000), "*".repeat(1_000)],
  },
  {
    name: "takes as many fragments as there may be",
    options: FEW,
    frames: fragments(TEXT, ...Array<string>(10).fill("*")),
    messages: ["*".repeat(10)],
  },
  {
    name: "refuses a fragment too many",
    options: FEW,
    frames: fragments(TEXT, ...Array<string>(11).fill("*")),
    ...fails(1008),
  },
  {
    name: "counts empty fragments",
    options: FEW,
    frames: fragments(TEXT, ...Array<string>(11).fill("")),
    ...fails(1008),
  },
  {
    name: "refuses fragments without an end",
    frames: Array.from({ length: 10_000 }, (_, n) => (n === 0 ? text("", OPEN) : more("", OPEN))),
    ...fails(1008),
  },
  { name: "takes 1 MiB and no more by default", frames: [binary("", { claims: 1_048_577n })], ...fails(1009) },
  ...[2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n].map(tooLong),
];

/** The sections of this file, by name. */
export const closing: Readonly<Record<string, readonly Case[]>> = {
  "close codes": codes,
  "close frames": frames,
  "after a close frame": after,
  limits,
};
