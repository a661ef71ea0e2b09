// `meanwhile fetch --help`, in the form of a manual page, made of the same tables as the parser.

import { FAILURE_MEANINGS } from "./failure-meanings.ts";
import { OPTION_GROUPS, type OptionRow } from "./option-tables.ts";

const WIDEST = 100;
const NARROWEST = 40;
const INDENT = 7;
const TEXT_COLUMN = 33;

const EXIT_STATUS: ReadonlyArray<readonly [string, string]> = [
  ["0", "every URL is ok"],
  ["1", "at least one failed, or was no URL"],
  ["2", "wrong usage; nothing was done"],
  ["3", "a list, the directory or an output cannot be used"],
  ["4", "stopped by a safety limit: --max-total, --min-free, a full disk"],
  ["5", "stopped by --fail-fast or --max-errors"],
  ["124", "stopped by --deadline"],
  ["130, 143", "stopped by SIGINT, SIGTERM"],
  ["141", "nobody reads the output any more"],
];

const ENVIRONMENT: ReadonlyArray<readonly [string, string]> = [
  ["MEANWHILE_PASSWORD", "the password of --user NAME"],
  ["NO_COLOR, FORCE_COLOR", "whether errors are coloured"],
  ["TERM", "dumb: no line is redrawn"],
  ["every NAME of --secret", "its value"],
];

const FILES: ReadonlyArray<readonly [string, string]> = [
  ["NAME.part", "a file that is not complete; removed when it fails, unless --resume is set"],
  ["NAME.lock", "keeps two runs from using the file of --state or --jsonl at a time"],
  ["NAME.part.json", "with --resume: which version of the file the part is of"],
];

const EXAMPLES: readonly string[] = [
  "meanwhile fetch https://example.com/a https://example.com/b",
  "meanwhile fetch -i urls.txt -o pages --per-host 2 --rate 20/s > records.jsonl",
  "meanwhile fetch -i urls.txt -o pages --name '{host}/{path}' --skip-existing",
  "meanwhile fetch --glob 'https://example.com/[001-120].jpg' -o images --resume",
  "meanwhile fetch 'https://api.example.com/items?key={{API_KEY}}' --secret API_KEY --body text",
  "produce-urls | meanwhile fetch - | jq -r 'select(.ok | not) | .url'",
];

const DESCRIPTION: readonly string[] = [
  "Fetches all URLs at once, under limits, and writes one record for each to stdout, in the order they finish. Progress and a summary go to stderr.",
  "A list is read as a stream: the first request leaves at once, and memory stays flat however long it is. Hosts are served in turn, so that a slow one does not hold up the others. A failure that may pass is tried again after a random, growing wait. Retry-After and RateLimit-Reset are kept: until then nothing is sent to that host.",
  "Ctrl-C stops in order: every URL that was started has its record. A second one ends at once.",
  "TIME is in seconds, or like 500ms, 2m, 1h; SIZE is in bytes, or like 500kB, 10MiB. For both, 0 is no limit.",
];

/** The text for a terminal of so many columns; never wider than 100. */
export function fetchHelp(columns: number = process.stdout.columns || 80): string {
  const width = Math.max(NARROWEST, Math.min(WIDEST, columns));
  const options = OPTION_GROUPS.filter(([, rows]) => Object.keys(rows).length > 0).flatMap(([title, rows]) => [
    `   ${title}`,
    ...Object.entries(rows).flatMap(([name, row]) => entry(signatureOf(name, row), helpOf(row), width)),
    "",
  ]);
  const sections: ReadonlyArray<readonly [string, readonly string[]]> = [
    ["NAME", paragraph("meanwhile fetch - fetch many URLs at once, under limits", width)],
    [
      "SYNOPSIS",
      paragraph("meanwhile fetch [URL...] [-i FILE] [-o DIR] [options]; - as a URL reads a list from stdin", width),
    ],
    ["DESCRIPTION", DESCRIPTION.flatMap((text, index) => [...(index === 0 ? [] : [""]), ...paragraph(text, width)])],
    ["OPTIONS", options.slice(0, -1)],
    ["EXIT STATUS", EXIT_STATUS.flatMap(([code, text]) => entry(code, text, width))],
    ["ERROR CODES", Object.entries(FAILURE_MEANINGS).flatMap(([code, text]) => entry(code, text, width))],
    ["EXAMPLES", EXAMPLES.flatMap((example) => command(example, width))],
    ["FILES", FILES.flatMap(([name, text]) => entry(name, text, width))],
    ["ENVIRONMENT", ENVIRONMENT.flatMap(([name, text]) => entry(name, text, width))],
  ];
  return sections.map(([title, lines]) => `${title}\n${lines.join("\n")}\n`).join("\n");
}

function signatureOf(name: string, { short, value }: OptionRow): string {
  const start = short === undefined ? "    " : `-${short}, `;
  return `${start}--${name}${value === undefined ? "" : ` ${value}`}`;
}

function helpOf({ help, default: preset }: OptionRow): string {
  return typeof preset === "string" ? `${help}; default ${preset}` : help;
}

/** A term with its meaning beside it, or below it where there is no room. */
function entry(term: string, text: string, width: number): string[] {
  const column = width < 70 ? INDENT + 4 : TEXT_COLUMN;
  const lines = wrap(text, width - column).map((line) => " ".repeat(column) + line);
  const start = " ".repeat(INDENT) + term;
  if (start.length + 2 > column) return [start, ...lines];
  return [start.padEnd(column) + (lines[0] ?? "").trimStart(), ...lines.slice(1)];
}

function paragraph(text: string, width: number): string[] {
  return wrap(text, width - INDENT).map((line) => " ".repeat(INDENT) + line);
}

/** A command that is too wide goes on in the next line as a shell takes it. No quoted word is broken. */
function command(text: string, width: number): string[] {
  const words = text.match(/(?:'[^']*'|[^ '])+/g) ?? [];
  const lines = [""];
  for (const word of words) {
    const line = lines.at(-1) ?? "";
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || longer.length + 2 <= width - INDENT) lines[lines.length - 1] = longer;
    else lines.push(`  ${word}`);
  }
  return lines.map((line, index) => `${" ".repeat(INDENT)}${line}${index === lines.length - 1 ? "" : " \\"}`);
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
