// What a hostile server says before the body.

import { endless, HARMLESS, head, type Hostile, LARGE, OK, row, SLOW } from "./hostile-rows.ts";

export const statusLines: ReadonlyArray<Hostile> = [
  ["nothing but text", "hello\r\n\r\n"],
  ["only an end of line", "\r\n\r\n\r\n\0"],
  ["a NUL first", "\0HTTP/1.1 200 OK\r\n\r\n"],
  ["a space first", " HTTP/1.1 200 OK\r\n\r\n"],
  ["lower case", "http/1.1 200 OK\r\n\r\n"],
  ["another protocol", "ICY 200 OK\r\n\r\n"],
  ["no version", "HTTP 200 OK\r\n\r\n"],
  ["version 1.11", "HTTP/1.11 200 OK\r\n\r\n"],
  ["version 9.9", "HTTP/9.9 200 OK\r\n\r\n"],
  ["a version with a sign", "HTTP/+1.1 200 OK\r\n\r\n"],
  ["no status", "HTTP/1.1 \r\n\r\n"],
  ["a status of letters", "HTTP/1.1 abc OK\r\n\r\n"],
  ["a status of one digit", "HTTP/1.1 2 OK\r\n\r\n"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n"],
  ["a negative status", "HTTP/1.1 -200 OK\r\n\r\n"],
  ["a hexadecimal status", "HTTP/1.1 0x200 OK\r\n\r\n"],
  ["a bare CR in the reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"],
  ["an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ["HTTP/2 frames", Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0])],
  ["a TLS alert", Buffer.from([0x15, 3, 1, 0, 2, 2, 0x28])],
  ["a TLS hello", Buffer.from([0x16, 3, 1, 0, 5, 2, 0, 0, 1, 0])],
  ["an SSH banner", "SSH-2.0-OpenSSH_9.9\r\n"],
  ["an SMTP banner", "220 mail.test ESMTP\r\n"],
  ["an HTML page, as HTTP/0.9 has it", "<html><body>hi</body></html>\n"],
  ["a request", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["bytes above 127", Buffer.from([0xff, 0xfe, 0xfd, 0x0d, 0x0a, 0x0d, 0x0a])],
].map(([name, answer]) => row(`a status line: ${String(name)}`, answer as string | Buffer, "PROTOCOL"));

/** What only the end of the connection would end. */
export const unframed: ReadonlyArray<Hostile> = [
  row("version 2.0, without an end", "HTTP/2.0 200 OK\r\n\r\n", "IDLE_TIMEOUT", SLOW),
  row("no length, and no end", `${head()}part`, "IDLE_TIMEOUT", SLOW),
  row("HTTP/1.0 without an end", "HTTP/1.0 200 OK\r\n\r\npart", "IDLE_TIMEOUT", SLOW),
];

export const heads: ReadonlyArray<Hostile> = [
  ...[
    ["no name", ": x"],
    ["a space in a name", "Bad Name: x"],
    ["a space before the colon", "Name : x"],
    ["no colon", "Nothing"],
    ["a NUL in a name", "Na\0me: x"],
    ["a NUL in a value", "Name: a\0b"],
    ["a bare CR in a value", "Name: a\rb"],
    ["a bare CR that hides a field", "Name: a\rSet-Cookie: evil=1"],
    ["a control character in a value", "Name: a\u0001b"],
    ["a DEL in a value", "Name: a\u007fb"],
    ["a bracket in a name", "Na[me: x"],
    ["a letter beyond ASCII in a name", "N\u00e4me: x"],
    ["a folded line", "Name: a\r\n b"],
    ["a folded line first", " Name: a"],
    ["a folded line with a tab", "Name: a\r\n\tb"],
    ["a folded Content-Length", "Content-Length:\r\n 2"],
  ].map(([name, field]) => row(`a header field: ${name}`, `${head(field ?? "", OK)}ok`, "PROTOCOL")),
  row("header fields that end in bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "PROTOCOL"),
  row("header fields with one bare LF", `HTTP/1.1 200 OK\r\nA: b\n${OK}\r\n\r\nok`, "PROTOCOL"),
  row("header fields that end in bare CR", "HTTP/1.1 200 OK\rContent-Length: 2\r\rok", "PROTOCOL"),
  row("header fields that end in CR CR LF", "HTTP/1.1 200 OK\r\nA: b\r\r\nContent-Length: 2\r\n\r\nok", "PROTOCOL"),
  row("__proto__ as a header field", `${head("__proto__: x", "constructor: y", OK)}ok`, "200 ok", HARMLESS),
  row("129 header fields", head(...Array.from({ length: 129 }, (_, index) => `X-${index}: 1`)), "HEADERS_TOO_LARGE"),
  row("a header field of 20 000 bytes", head(`X: ${"a".repeat(20_000)}`), "HEADERS_TOO_LARGE", LARGE),
  row("a name of 20 000 bytes", head(`${"a".repeat(20_000)}: x`), "HEADERS_TOO_LARGE", LARGE),
  row("a reason of 20 000 bytes", `HTTP/1.1 200 ${"a".repeat(20_000)}\r\n${OK}\r\n\r\nok`, "200 ok", {
    ...LARGE,
    ...HARMLESS,
  }),
  row("a bomb of cookies", head(...Array(200).fill(`Set-Cookie: a=${"b".repeat(60)}`)), "HEADERS_TOO_LARGE"),
  row("a cookie of 20 000 bytes", head(`Set-Cookie: a=${"b".repeat(20_000)}`), "HEADERS_TOO_LARGE", LARGE),
  row(
    "header fields without end",
    endless("HTTP/1.1 200 OK\r\n", "X-Again: and again\r\n"),
    "HEADERS_TOO_LARGE",
    LARGE,
  ),
  row("a header value without end", endless("HTTP/1.1 200 OK\r\nX: ", "a".repeat(64)), "HEADERS_TOO_LARGE", LARGE),
  row("a reason without end", endless("HTTP/1.1 200 ", "a".repeat(64)), "IDLE_TIMEOUT", { ...SLOW, ...LARGE }),
];
