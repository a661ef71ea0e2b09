// Cases: how long frames are, what else stands in their heads, and whose frames are masked.

import { binary, type Case, closedBy, fails, frame, fragments, more, OPEN, ping, pong, text } from "./case.ts";
import { BINARY, CLOSE, RSV1, RSV2, RSV3, TEXT } from "./wire.ts";

const LENGTHS = [0, 1, 2, 125, 126, 127, 128, 255, 256, 65_535, 65_536, 65_537, 131_072, 1_048_576];

/** Lengths: sections 1 and 5.2. */
const lengths: Case[] = LENGTHS.flatMap((length): Case[] => {
  const bytes = Buffer.alloc(length, 0xfe);
  return [
    { name: `takes a text of ${length} bytes`, frames: [text("*".repeat(length))], messages: ["*".repeat(length)] },
    { name: `takes ${length} bytes`, frames: [binary(bytes)], messages: [bytes] },
  ];
});

/** Longer than it has to be. The RFC forbids to send that, and nobody refuses it. */
const wasteful: Case[] = ([16, 64] as const).map((lengthBits) => ({
  name: `takes a length of 5 written in ${lengthBits} bits`,
  frames: [text("hello", { lengthBits })],
  messages: ["hello"],
}));

const masks: Case[] = [
  {
    name: "refuses a text that is masked in the wrong direction",
    frames: [text("hello", { isMaskWrong: true })],
    ...fails(1002),
  },
  {
    name: "refuses bytes that are masked in the wrong direction",
    frames: [binary("hello", { isMaskWrong: true })],
    ...fails(1002),
  },
  {
    name: "refuses a ping that is masked in the wrong direction",
    frames: [ping("hello", { isMaskWrong: true })],
    ...fails(1002),
  },
  {
    name: "refuses an empty frame that is masked in the wrong direction",
    frames: [text("", { isMaskWrong: true })],
    ...fails(1002),
  },
  {
    name: "refuses a continuation that is masked in the wrong direction",
    frames: [text("hel", OPEN), more("lo", { isMaskWrong: true })],
    ...fails(1002),
  },
  { name: "takes a mask of zeros", frames: [text("hello", { mask: Buffer.alloc(4) })], messages: ["hello"] },
  {
    name: "takes a mask of one bit",
    frames: [binary("\u{0}\u{1}\u{2}\u{3}\u{4}", { mask: Buffer.from([0, 0, 0, 1]) })],
    messages: [Buffer.from([0, 1, 2, 3, 4])],
  },
];

/** Reserved bits, without an extension that gives them a meaning: section 5.2. */
const reservedBits: Case[] = [RSV1, RSV2, RSV3, RSV1 | RSV2, RSV2 | RSV3, RSV1 | RSV2 | RSV3].flatMap((rsv): Case[] => {
  const bits = `0b${(rsv >> 4).toString(2).padStart(3, "0")}`;
  return [
    { name: `refuses a text with the reserved bits ${bits}`, frames: [text("hello", { rsv })], ...fails(1002) },
    { name: `refuses an empty message with the reserved bits ${bits}`, frames: [binary("", { rsv })], ...fails(1002) },
    { name: `refuses a ping with the reserved bits ${bits}`, frames: [ping("hello", { rsv })], ...fails(1002) },
    {
      name: `refuses a close frame with the reserved bits ${bits}`,
      frames: [frame(CLOSE, "", { rsv })],
      ...fails(1002),
    },
    {
      name: `refuses a continuation with the reserved bits ${bits}`,
      frames: [text("hel", OPEN), more("lo", { rsv })],
      ...fails(1002),
    },
  ];
});

const reservedOpcodes: Case[] = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].flatMap((opcode): Case[] => [
  { name: `refuses opcode ${opcode}`, frames: [frame(opcode)], ...fails(1002) },
  { name: `refuses opcode ${opcode} with a payload`, frames: [frame(opcode, "hello")], ...fails(1002) },
  {
    name: `gives the message before a frame with opcode ${opcode}`,
    frames: [text("hello"), frame(opcode, "hello")],
    messages: ["hello"],
    ...fails(1002),
  },
]);

/** Pings and pongs: section 5.5. */
const control: Case[] = [
  { name: "answers a ping without a payload", frames: [ping()], pongs: [""] },
  { name: "answers a ping with its payload", frames: [ping("hello")], pongs: ["hello"] },
  {
    name: "answers a ping of bytes that are no text",
    frames: [ping(Buffer.from([0, 0xff, 0xfe, 0xfd, 0xfc, 0]))],
    pongs: [Buffer.from([0, 0xff, 0xfe, 0xfd, 0xfc, 0])],
  },
  { name: "answers a ping of 125 bytes", frames: [ping("*".repeat(125))], pongs: ["*".repeat(125)] },
  {
    name: "answers ten pings in their order",
    frames: Array.from({ length: 10 }, (_, n) => ping(`ping ${n}`)),
    pongs: Array.from({ length: 10 }, (_, n) => `ping ${n}`),
  },
  { name: "refuses a ping of 126 bytes", frames: [ping("*".repeat(126))], ...fails(1002) },
  { name: "refuses a ping of 65 536 bytes", frames: [ping("*".repeat(65_536))], ...fails(1002) },
  { name: "refuses a pong of 126 bytes", frames: [pong("*".repeat(126))], ...fails(1002) },
  {
    name: "refuses a ping whose short length is written in 16 bits",
    frames: [ping("hello", { lengthBits: 16 })],
    ...fails(1002),
  },
  { name: "refuses a ping in fragments", frames: [ping("hel", OPEN), more("lo")], ...fails(1002) },
  { name: "refuses a pong in fragments", frames: [pong("hel", OPEN), more("lo")], ...fails(1002) },
  { name: "passes over a pong that nobody asked for", frames: [pong()] },
  {
    name: "passes over a pong that nobody asked for, with a payload",
    frames: [pong("hello"), ping("ping")],
    pongs: ["ping"],
  },
];

/** Messages in fragments: section 5.4. */
const fragmentation: Case[] = [
  { name: "puts two fragments together", frames: fragments(TEXT, "hel", "lo"), messages: ["hello"] },
  {
    name: "puts fragments of one byte together",
    frames: fragments(BINARY, "h", "e", "l", "l", "o"),
    messages: [Buffer.from("hello")],
  },
  { name: "puts empty fragments together", frames: fragments(TEXT, "", "", ""), messages: [""] },
  {
    name: "passes over empty fragments in the middle",
    frames: fragments(TEXT, "", "hel", "", "lo", ""),
    messages: ["hello"],
  },
  {
    name: "puts 1 000 fragments together",
    frames: fragments(TEXT, ...Array<string>(1_000).fill("*")),
    messages: ["*".repeat(1_000)],
  },
  {
    name: "answers a ping between two fragments",
    frames: [text("hel", OPEN), ping("now"), more("lo")],
    messages: ["hello"],
    pongs: ["now"],
  },
  {
    name: "answers pings between many fragments",
    frames: [text("h", OPEN), ping("1"), more("e", OPEN), ping("2"), pong("x"), more("l", OPEN), ping("3"), more("lo")],
    messages: ["hello"],
    pongs: ["1", "2", "3"],
  },
  {
    name: "ends by a close frame between two fragments",
    frames: [text("hel", OPEN), frame(CLOSE, Buffer.from([3, 232]))],
    ...closedBy(1000),
  },
  { name: "refuses a continuation of nothing", frames: [more("hello")], ...fails(1002) },
  { name: "refuses an open continuation of nothing", frames: [more("hel", OPEN), text("lo")], ...fails(1002) },
  {
    name: "refuses a continuation after the last fragment",
    frames: [...fragments(TEXT, "hel", "lo"), more("!")],
    messages: ["hello"],
    ...fails(1002),
  },
  { name: "refuses a text in the middle of a text", frames: [text("hel", OPEN), text("lo")], ...fails(1002) },
  { name: "refuses bytes in the middle of a text", frames: [text("hel", OPEN), binary("lo")], ...fails(1002) },
  {
    name: "refuses an open text in the middle of bytes",
    frames: [binary("hel", OPEN), text("lo", OPEN), more("!")],
    ...fails(1002),
  },
  {
    name: "takes messages one after the other",
    frames: [...fragments(TEXT, "a", "b"), binary("c"), ...fragments(BINARY, "d", "", "e"), text("f")],
    messages: ["ab", Buffer.from("c"), Buffer.from("de"), "f"],
  },
];

/** The sections of this file, by name. */
export const framing: Readonly<Record<string, readonly Case[]>> = {
  lengths: [...lengths, ...wasteful],
  masks,
  "reserved bits": reservedBits,
  "reserved opcodes": reservedOpcodes,
  "pings and pongs": control,
  fragmentation,
};
