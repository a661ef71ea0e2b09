// Cases: what is a text. The sequences are those of Markus Kuhn's "UTF-8 decoder capability and stress test".

import { binary, type Case, fails, fragments, more, OPEN, ping, text } from "./case.ts";
import { TEXT } from "./wire.ts";

const hex = (bytes: string): Buffer => Buffer.from(bytes.replaceAll(" ", ""), "hex");

const VALID: Readonly<Record<string, string>> = {
  "no byte": "",
  "U+0000": "00",
  "the last of one byte": "7f",
  "the first and last of two bytes": "c2 80 df bf",
  "the first and last of three bytes": "e0 a0 80 ef bf bf",
  "the last before and the first after surrogates": "ed 9f bf ee 80 80",
  "the replacement character": "ef bf bd",
  noncharacters: "ef bf be ef b7 90 f0 9f bf be",
  "the first and last of four bytes": "f0 90 80 80 f4 8f bf bf",
  "a byte order mark": "ef bb bf 61",
  Greek: "ce ba e1 bd b9 cf 83 ce bc ce b5",
  "an emoji of several code points": "f0 9f 91 a9 e2 80 8d f0 9f 92 bb",
};

const INVALID: Readonly<Record<string, string>> = {
  "a lone continuation byte": "80",
  "the last continuation byte alone": "bf",
  "64 continuation bytes": "80".repeat(64),
  "the start of two bytes before a space": "c3 20",
  "the start of three bytes before a space": "e2 82 20",
  "the start of four bytes before a space": "f0 9f 92 20",
  "a sequence that lacks its last byte": "ce ba ce",
  "four bytes without the last one": "f0 9f 92",
  fe: "fe",
  ff: "ff",
  "fe fe ff ff": "fe fe ff ff",
  "a slash in two bytes": "c0 af",
  "a slash in three bytes": "e0 80 af",
  "a slash in four bytes": "f0 80 80 af",
  "U+0000 in two bytes": "c0 80",
  "the longest overlong of two bytes": "c1 bf",
  "the longest overlong of three bytes": "e0 9f bf",
  "the longest overlong of four bytes": "f0 8f bf bf",
  "the first high surrogate": "ed a0 80",
  "the last low surrogate": "ed bf bf",
  "a pair of surrogates": "ed a0 80 ed b0 80",
  "U+110000": "f4 90 80 80",
  "five bytes": "f8 88 80 80 80",
  "six bytes": "fc 84 80 80 80 80",
  "a surrogate in the middle of a text": "ce ba e1 bd b9 ed a0 80 65 64 69 74 65 64",
};

const valid: Case[] = Object.entries(VALID).flatMap(([name, bytes]): Case[] => {
  const whole = hex(bytes);
  // Not Buffer#toString: a byte order mark is part of a message.
  const message = new TextDecoder("utf-8", { ignoreBOM: true }).decode(whole);
  const single = Array.from(whole, (byte) => Uint8Array.of(byte));
  return [
    { name: `takes ${name}`, frames: [text(whole)], messages: [message] },
    { name: `takes ${name}, each byte a fragment`, frames: fragments(TEXT, ...single, ""), messages: [message] },
  ];
});

const invalid: Case[] = Object.entries(INVALID).flatMap(([name, bytes]): Case[] => {
  const whole = hex(bytes);
  const single = Array.from(whole, (byte) => Uint8Array.of(byte));
  const long = Buffer.concat([Buffer.alloc(200, "a"), whole, Buffer.alloc(200, "b")]);
  return [
    { name: `refuses ${name}`, frames: [text(whole)], ...fails(1007) },
    { name: `refuses ${name} in a long text`, frames: [text(long)], ...fails(1007) },
    { name: `refuses ${name}, each byte a fragment`, frames: fragments(TEXT, ...single, ""), ...fails(1007) },
    { name: `takes ${name} as bytes`, frames: [binary(whole)], messages: [whole] },
  ];
});

const across: Case[] = [
  {
    name: "takes a character over a ping",
    frames: [text(hex("f0 9f"), OPEN), ping(hex("ff")), more(hex("92 bb"))],
    messages: ["💻"],
    pongs: [hex("ff")],
  },
  {
    name: "refuses a message that ends in the middle of a character",
    frames: [text("hello"), text(hex("f0 9f")), text(hex("92 bb"))],
    messages: ["hello"],
    ...fails(1007),
  },
  {
    name: "gives the messages before a text that is none",
    frames: [text("a"), binary("b"), text(hex("ff"))],
    messages: ["a", Buffer.from("b")],
    ...fails(1007),
  },
];

/** The sections of this file, by name. */
export const utf8: Readonly<Record<string, readonly Case[]>> = {
  "valid UTF-8": valid,
  "invalid UTF-8": invalid,
  "UTF-8 across frames": across,
};
