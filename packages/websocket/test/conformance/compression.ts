// Cases: compressed messages, RFC 7692.

import { binary, type Case, close, closedBy, fails, frame, more, OPEN, ping, text } from "./case.ts";
import { deflated } from "./deflating.ts";
import { RSV1, RSV2, TEXT, BINARY } from "./wire.ts";

const PLAIN = "permessage-deflate";
const COMPRESSED = { rsv: RSV1 };
const OPEN_COMPRESSED = { rsv: RSV1, fin: false };
const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(" ", ""), "hex");

const HELLO = hex("f2 48 cd c9 c9 07 00");
const LIMIT = 1_048_576;

/** The examples of section 7.2.3. */
const examples: Case[] = [
  { name: "takes one block", frames: [text(HELLO, COMPRESSED)], messages: ["Hello"] },
  {
    name: "takes one block in two fragments",
    frames: [text(HELLO.subarray(0, 3), OPEN_COMPRESSED), more(HELLO.subarray(3))],
    messages: ["Hello"],
  },
  {
    name: "takes what goes on with the window",
    frames: [text(HELLO, COMPRESSED), text(hex("f2 00 11 00 00"), COMPRESSED)],
    messages: ["Hello", "Hello"],
  },
  {
    name: "takes a block without compression",
    frames: [text(hex("00 05 00 fa ff 48 65 6c 6c 6f 00"), COMPRESSED)],
    messages: ["Hello"],
  },
  {
    name: "takes a block that says it is the last",
    frames: [text(hex("f3 48 cd c9 c9 07 00 00"), COMPRESSED)],
    messages: ["Hello"],
  },
  {
    name: "takes two blocks",
    frames: [text(hex("f2 48 05 00 00 00 ff ff ca c9 c9 07 00"), COMPRESSED)],
    messages: ["Hello"],
  },
];

const twice = (size: number): string => {
  let state = 7;
  const half = Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return String.fromCodePoint(33 + ((state >> 16) % 90));
  }).join("");
  return half + half;
};

const usual: Case[] = [
  { name: "takes an empty message", frames: [text(hex("00"), COMPRESSED)], messages: [""] },
  {
    name: "takes a compressed message without a payload",
    frames: [binary("", COMPRESSED)],
    messages: [Buffer.alloc(0)],
  },
  { name: "takes a message of one byte", frames: [binary(deflated("a"), COMPRESSED)], messages: [Buffer.from("a")] },
  {
    name: "takes messages that are not compressed",
    frames: [text("Hello"), binary("Hello")],
    messages: ["Hello", Buffer.from("Hello")],
  },
  {
    name: "takes both kinds in turn",
    frames: [text(HELLO, COMPRESSED), text("plain"), text(hex("f2 00 11 00 00"), COMPRESSED)],
    messages: ["Hello", "plain", "Hello"],
  },
  {
    name: "takes each byte of a message as a fragment, with pings between them",
    frames: Array.from(HELLO, (byte, index) => [
      frame(index === 0 ? TEXT : 0, Uint8Array.of(byte), {
        rsv: index === 0 ? RSV1 : 0,
        fin: index === HELLO.length - 1,
      }),
      ping(`${index}`),
    ]).flat(),
    messages: ["Hello"],
    pongs: Array.from(HELLO, (_, index) => `${index}`),
  },
  {
    name: "takes empty fragments of a compressed message",
    frames: [text("", OPEN_COMPRESSED), more("", OPEN), more(HELLO, OPEN), more("")],
    messages: ["Hello"],
  },
  {
    name: "gives the messages before a close frame",
    frames: [text(HELLO, COMPRESSED), text("b"), close(1000)],
    messages: ["Hello", "b"],
    ...closedBy(1000),
  },
  {
    name: "takes a message as long as it may be",
    frames: [binary(deflated(Buffer.alloc(LIMIT)), COMPRESSED)],
    messages: [Buffer.alloc(LIMIT)],
  },
];

const windows: Case[] = [
  "server_no_context_takeover",
  "client_no_context_takeover",
  "server_no_context_takeover; client_no_context_takeover",
  "server_max_window_bits=15; client_max_window_bits=15",
  "server_max_window_bits=12; client_max_window_bits=12",
  "server_max_window_bits=9; client_max_window_bits=9",
  "server_max_window_bits=8",
  "server_max_window_bits=9; server_no_context_takeover; client_max_window_bits=10; client_no_context_takeover",
].map((parameters): Case => {
  const long = [twice(200), twice(400), twice(700), twice(3_000), twice(20_000)];
  const settings = { windowBits: 9 }; // no more than what any of them allows
  return {
    name: `keeps to ${parameters}`,
    isCompressed: true,
    options: { compression: { serverMaxWindowBits: 15, clientMaxWindowBits: 15 } },
    extensions: `${PLAIN}; ${parameters}`,
    frames: [...long, ...long].map((message) => text(deflated(message, settings), COMPRESSED)),
    messages: [...long, ...long],
  };
});

const wrong: Case[] = [
  {
    name: "refuses RSV1 in a continuation",
    frames: [text(HELLO.subarray(0, 3), OPEN_COMPRESSED), more(HELLO.subarray(3), COMPRESSED)],
    ...fails(1002),
  },
  {
    name: "refuses RSV1 in a continuation of what is not compressed",
    frames: [text("Hel", OPEN), more(HELLO, COMPRESSED)],
    ...fails(1002),
  },
  { name: "refuses RSV1 in a ping", frames: [ping(HELLO, COMPRESSED)], ...fails(1002) },
  { name: "refuses RSV2 beside RSV1", frames: [text(HELLO, { rsv: RSV1 | RSV2 })], ...fails(1002) },
  { name: "refuses a block of a kind that is none", frames: [text(hex("07"), COMPRESSED)], ...fails(1007) },
  {
    name: "refuses what is not compressed but says so",
    frames: [text("\u{7f}\u{7f}\u{7f}\u{7f} Hello", COMPRESSED)],
    ...fails(1007),
  },
  {
    name: "refuses a distance to before the first byte",
    frames: [text(hex("f2 00 11 00 00"), COMPRESSED)],
    ...fails(1007),
  },
  {
    name: "refuses a block whose length is not what its complement says",
    frames: [text(hex("00 05 00 fa fe 48 65 6c 6c 6f 00"), COMPRESSED)],
    ...fails(1007),
  },
  {
    name: "refuses a text that is no UTF-8",
    frames: [text(deflated(hex("ce ba ed a0 80")), COMPRESSED)],
    ...fails(1007),
  },
  {
    name: "gives the messages before one that is corrupted",
    frames: [text(HELLO, COMPRESSED), binary("b"), text(hex("07"), COMPRESSED)],
    messages: ["Hello", Buffer.from("b")],
    ...fails(1007),
  },
  {
    name: "refuses to go on with a window that was not kept",
    extensions: `${PLAIN}; server_no_context_takeover; client_no_context_takeover`,
    frames: [text(HELLO, COMPRESSED), text(hex("f2 00 11 00 00"), COMPRESSED)],
    messages: ["Hello"],
    ...fails(1007),
  },
];

const bomb = deflated(Buffer.alloc(64 * LIMIT));

const bombs: Case[] = [
  {
    name: "refuses a message that is a byte too long when inflated",
    frames: [binary(deflated(Buffer.alloc(LIMIT + 1)), COMPRESSED)],
    ...fails(1009),
  },
  { name: "refuses 64 MiB in 64 kB", frames: [binary(bomb, COMPRESSED)], ...fails(1009) },
  {
    name: "refuses 64 MiB in fragments before the last one comes",
    frames: [binary(bomb.subarray(0, 4_096), OPEN_COMPRESSED), more(bomb.subarray(4_096), OPEN)],
    ...fails(1009),
  },
  {
    name: "counts what is inflated of all fragments",
    options: { maxMessageBytes: 1_000 },
    frames: [
      frame(BINARY, deflated(Buffer.alloc(600)), OPEN_COMPRESSED),
      more(hex("00 00 ff ff"), OPEN),
      more(deflated(Buffer.alloc(600))),
    ],
    ...fails(1009),
  },
  {
    name: "counts what is inflated, not what is sent",
    options: { maxMessageBytes: 1_000 },
    frames: [text(deflated("*".repeat(1_000)), COMPRESSED), text(deflated("*".repeat(1_000)), COMPRESSED)],
    messages: ["*".repeat(1_000), "*".repeat(1_000)],
  },
];

const named = (cases: readonly Case[]): Case[] => cases.map((one) => ({ extensions: PLAIN, ...one }));

/** The sections of this file, by name. */
export const compression: Readonly<Record<string, readonly Case[]>> = {
  "compression: the examples of the RFC": named(examples),
  "compression: messages": named(usual),
  "compression: windows": named(windows),
  "compression: what is wrong": named(wrong),
  "compression: bombs": named(bombs),
};
