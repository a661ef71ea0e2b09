// How a hostile server lies about where a body ends.

import { CHUNKED, END, endless, HARMLESS, head, type Hostile, LARGE, OK, RESET, row, SLOW } from "./hostile-rows.ts";

export const lengths: ReadonlyArray<Hostile> = [
  ...[
    "-1",
    "-0",
    "+2",
    "2.0",
    "2e0",
    "0x2",
    "two",
    "",
    "2 3",
    "2;3",
    "2, 3",
    "18446744073709551618",
    "9".repeat(40),
    "\u0662",
  ].map((value) =>
    row(`Content-Length: ${JSON.stringify(value)}`, `${head(`Content-Length: ${value}`)}ok`, "PROTOCOL"),
  ),
  row("Content-Length twice, not the same", `${head(OK, "Content-Length: 3")}ok!`, "PROTOCOL"),
  row("Content-Length twice, the same", `${head(OK, OK)}ok`, "PROTOCOL"),
  row("Content-Length as a list", `${head("Content-Length: 2, 2")}ok`, "PROTOCOL"),
  row("Content-Length before chunked", `${head(OK, CHUNKED)}2\r\nok\r\n0\r\n\r\n`, "PROTOCOL"),
  row("Content-Length behind chunked", `${head(CHUNKED, OK)}2\r\nok\r\n0\r\n\r\n`, "PROTOCOL"),
  row("Content-Length of 2^53", head("Content-Length: 9007199254740993"), "BODY_TOO_LARGE"),
  row("Content-Length of 100 MB, nothing sent", head("Content-Length: 100000000"), "BODY_TOO_LARGE"),
  row("Content-Length longer than the body, closed", `${head("Content-Length: 9")}ok`, "INCOMPLETE", END),
  row("Content-Length longer than the body, reset", `${head("Content-Length: 9")}ok`, ["INCOMPLETE", "RESET"], RESET),
  row("Content-Length longer than the body, silence", `${head("Content-Length: 9")}ok`, "IDLE_TIMEOUT", SLOW),
  row("Content-Length shorter than the body", `${head("Content-Length: 2")}ok, and more`, "200 ok"),
  row("Content-Length 0 and a body", `${head("Content-Length: 0")}poison`, "200 "),
];

// Where chunked is not the last coding, only the end of the connection ends the body.
export const codings: ReadonlyArray<Hostile> = [
  ["chunked not last", "chunked, gzip"],
  ["chunked with a space in it", "chun ked"],
  ["chunked in quotes", '"chunked"'],
  ["chunked with a parameter", "chunked;q=1"],
  ["a vertical tab before chunked", "\u000bchunked"],
].map(([name, value]) =>
  row(
    `Transfer-Encoding: ${name}`,
    `${head(`Transfer-Encoding: ${value}`)}2\r\nok\r\n0\r\n\r\n`,
    value?.startsWith("\u000b") === true ? "PROTOCOL" : "IDLE_TIMEOUT",
    SLOW,
  ),
);

export const chunks: ReadonlyArray<Hostile> = [
  ...[
    ["of letters", "zz\r\nok\r\n"],
    ["negative", "-2\r\nok\r\n"],
    ["with a sign", "+2\r\nok\r\n"],
    ["with 0x", "0x2\r\nok\r\n"],
    ["empty", "\r\nok\r\n"],
    ["with a space first", " 2\r\nok\r\n"],
    ["beyond 64 bits", "10000000000000002\r\nok\r\n"],
    ["of 100 digits", `${"1".repeat(100)}\r\nok\r\n`],
    ["with a NUL", "2\0\r\nok\r\n"],
    ["that ends in a bare LF", "2\nok\r\n"],
    ["that ends in a bare CR", "2\rok\r\n"],
    ["too small", "1\r\nok\r\n"],
    ["too large", "3\r\nok\r\n0\r\n\r\n"],
    ["with a space behind it", "2 \r\nok\r\n"],
    ["with an extension with a NUL", "2;a=\0\r\nok\r\n"],
    ["with an extension with a bare LF", "2;a=b\nc\r\nok\r\n"],
    ["with an unclosed quote", '2;a="b\r\nok\r\n'],
    ["without an end of the chunk", "2\r\nok0\r\n\r\n"],
    ["with an end of the chunk in bare LF", "2\r\nok\n0\n\n"],
  ].map(([name, body]) => row(`a chunk size: ${name}`, head(CHUNKED) + body, "PROTOCOL")),
  row("a chunk cut off in its size, closed", `${head(CHUNKED)}2`, "INCOMPLETE", END),
  row("a chunk cut off in its bytes, closed", `${head(CHUNKED)}5\r\nok`, "INCOMPLETE", END),
  row("a chunk cut off behind its bytes, closed", `${head(CHUNKED)}2\r\nok`, "INCOMPLETE", END),
  row("the last chunk missing, closed", `${head(CHUNKED)}2\r\nok\r\n`, "INCOMPLETE", END),
  row("the last line missing, closed", `${head(CHUNKED)}2\r\nok\r\n0\r\n`, "INCOMPLETE", END),
  row("the last chunk missing, reset", `${head(CHUNKED)}2\r\nok\r\n`, ["INCOMPLETE", "RESET"], RESET),
  row("the last chunk missing, silence", `${head(CHUNKED)}2\r\nok\r\n`, "IDLE_TIMEOUT", SLOW),
  row("bytes behind the last chunk", `${head(CHUNKED)}2\r\nok\r\n0\r\n\r\npoison`, "200 ok"),
  row("a chunk extension without end", endless(`${head(CHUNKED)}2;`, "a".repeat(64)), "IDLE_TIMEOUT", {
    ...SLOW,
    ...LARGE,
  }),
  row("a chunk size without end", endless(head(CHUNKED), "0".repeat(64)), "IDLE_TIMEOUT", { ...SLOW, ...LARGE }),
  row("a chunk size of ones without end", endless(head(CHUNKED), "1".repeat(64)), "PROTOCOL", LARGE),
  row("chunks without end", endless(head(CHUNKED), `10000\r\n${"x".repeat(65_536)}\r\n`), "BODY_TOO_LARGE", LARGE),
  row("tiny chunks without end", endless(head(CHUNKED), "1\r\nx\r\n".repeat(5_000)), "BODY_TOO_LARGE", {
    ...LARGE,
    maxBodyBytes: 300_000,
  }),
  row("a body without end or length", endless(head("Connection: close"), "x".repeat(65_536)), "BODY_TOO_LARGE", LARGE),
];

export const trailer = (fields: string): string => `${head(CHUNKED)}2\r\nok\r\n0\r\n${fields}\r\n`;
export const trailers: ReadonlyArray<Hostile> = [
  row("a trailer: a space in a name", trailer("Bad Name: x\r\n"), "PROTOCOL"),
  row("a trailer: no colon", trailer("Nothing\r\n"), "PROTOCOL"),
  row("a trailer: a NUL in a value", trailer("Name: a\0b\r\n"), "PROTOCOL"),
  row("a trailer: a bare CR in a value", trailer("Name: a\rb\r\n"), "PROTOCOL"),
  row("a trailer: bare LF", trailer("Name: a\nB: c\r\n"), "PROTOCOL"),
  row("a trailer: 200 fields", trailer("X: 1\r\n".repeat(200)), "HEADERS_TOO_LARGE"),
  row("a trailer: 20 000 bytes", trailer(`X: ${"a".repeat(20_000)}\r\n`), "HEADERS_TOO_LARGE", LARGE),
  row("a trailer: no end", endless(`${head(CHUNKED)}2\r\nok\r\n0\r\n`, "X-Again: x\r\n"), "HEADERS_TOO_LARGE", LARGE),
  row(
    "a trailer: a value without end",
    endless(`${head(CHUNKED)}2\r\nok\r\n0\r\nX: `, "a".repeat(64)),
    "HEADERS_TOO_LARGE",
    LARGE,
  ),
  row("a trailer: a second Content-Length", trailer("Content-Length: 50\r\n"), ["200 ok", "PROTOCOL"], HARMLESS),
  row("a trailer: cut off, closed", `${head(CHUNKED)}2\r\nok\r\n0\r\nName: `, "INCOMPLETE", END),
  row("a trailer: cut off, silence", `${head(CHUNKED)}2\r\nok\r\n0\r\nName: `, "IDLE_TIMEOUT", SLOW),
];
