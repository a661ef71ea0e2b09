// Names by which a server or a list might try to leave the directory, or to play with who looks into it.

const UP = [
  "..",
  "../..",
  "../../../../../../etc/passwd",
  "..\\..\\windows\\win.ini",
  ".../...",
  "....//",
  "..;/",
  "./../",
];
const ENCODED = [
  "%2e%2e%2f",
  "%2e%2e/%2e%2e/",
  "..%2f..%2fetc%2fpasswd",
  "..%5c..%5cwindows",
  "%252e%252e%252f",
  "%c0%ae%c0%ae%c0%af",
  "%uff0e%uff0e",
  "..%00/",
  "%2fetc%2fshadow",
  "%5c%5chost%5cshare",
];
const ABSOLUTE = [
  "/etc/passwd",
  "//host/share",
  "\\\\host\\share",
  "C:\\Windows",
  "c:x",
  "C:",
  "file:///etc/passwd",
  "~",
  "~root/.ssh",
];
const HIDDEN = [
  ".",
  "...",
  ".htaccess",
  ".ssh/authorized_keys",
  ".bashrc",
  ".git/config",
  ". hidden",
  " .hidden",
  "\t.x",
  "\u00a0.x",
];
const DEVICES = ["con", "prn", "aux", "nul", "com1", "com9", "lpt1", "lpt9", "conin$", "conout$", "com¹", "lpt²"];
const DEVICE_FORMS = ["{}", "{}.txt", "{}.tar.gz", "{} .txt", "{}.", "{} ", "{}:"];
const CONTROLS = Array.from({ length: 32 }, (_, code) => `a${String.fromCharCode(code)}b`);
const C1 = ["\u007f", "\u0080", "\u009b2J", "\u0090q", "\u009d0;title\u009c"].map((text) => `x${text}`);
const ESCAPES = [
  "\u001b[2J",
  "\u001b]0;title\u0007",
  "\u001b]52;c;aGk=\u0007",
  "\r\nSet-Cookie: x",
  "a\nb",
  "a\0.txt",
  "\0",
];
const HIDING = [
  "\u202e",
  "\u202d",
  "\u2066",
  "\u2069",
  "\u200b",
  "\u200e",
  "\u200f",
  "\u2028",
  "\u2029",
  "\ufeff",
  "\u061c",
  "\u2060",
];
const PUNCTUATION = [
  "a<b>",
  "a|b",
  "a?b",
  "a*b",
  'a"b',
  "a:b",
  "a:stream:$DATA",
  "$(id)",
  "`id`",
  "a;rm -rf",
  "-rf",
  "--help",
  "a&b",
  "'",
  '"',
];
const ENDS = ["a.", "a..", "a ", "a. . .", "a\u00a0", "   ", " . ", ""];
const LONG = [
  "a".repeat(255),
  "a".repeat(300),
  `${"ä".repeat(200)}.txt`,
  "🎉".repeat(100),
  `${".".repeat(5_000)}x`,
  `x${" ".repeat(5_000)}`,
];
const BROKEN = ["%", "%zz", "%ff%fe", "\ud800", "\udc00x", "a\ufffdb", "e\u0301", "\u212b", "ﬁ"];
const PARTS = ["x.part", "x.part.json", "index", "a/b/c", "a//b", "a/", "/a"];

/** At least 200 of them. */
export const EVIL_NAMES: readonly string[] = [
  ...UP,
  ...UP.map((name) => `x/${name}/y`),
  ...ENCODED,
  ...ENCODED.map((name) => `${name}x`),
  ...ABSOLUTE,
  ...HIDDEN,
  ...DEVICES.flatMap((device, index) => [
    device.toUpperCase(),
    `${device}.log`,
    `${device}  .txt`,
    (DEVICE_FORMS[index % DEVICE_FORMS.length] ?? "{}").replace("{}", device),
  ]),
  ...CONTROLS,
  ...C1,
  ...ESCAPES,
  ...HIDING.flatMap((character) => [character, `exe${character}txt.`]),
  ...PUNCTUATION,
  ...ENDS,
  ...LONG,
  ...BROKEN,
  ...PARTS,
];
