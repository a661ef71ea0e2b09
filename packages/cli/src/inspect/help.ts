// `meanwhile ps --help` and so on; the options come from the tables of the parser.

import type { OptionRow } from "../fetch/option-tables.ts";
import { INSPECT_OPTIONS } from "./option-tables.ts";

interface Page {
  readonly usage: string;
  readonly text: string;
  readonly examples: readonly string[];
}

const WHICH_PROGRAM = `PID is that of a program under meanwhile run, or of one that has called
startDiagnostics(); PID-THREAD is a worker thread of it. It is asked over a Unix
socket that only its user can open, and answers also while its event loop is
blocked. Nothing in it is changed.`;

const PAGES: Readonly<Record<string, Page>> = {
  ps: {
    usage: "ps [PID] [options]",
    text: `Shows the tasks of a program: what each does, what it waits for, since when and
where. Tasks that stand at the same place are one row with their number. Circles
of waits and warnings come first. Without PID it lists the programs that can be
asked.

${WHICH_PROGRAM}`,
    examples: ["meanwhile ps", "meanwhile ps 4242 --filter Lock", "meanwhile ps 4242 --json | jq .snapshot.cycles"],
  },
  pstree: {
    usage: "pstree PID [options]",
    text: `Shows the tasks of a program as a tree: below each task those that belong to it.
Tasks that stand at the same place, with the same tasks below them, are one
branch with their number. Below a task that waits for a worker, in a thread or on
another machine, stand that worker and the tasks of its job there.

${WHICH_PROGRAM}`,
    examples: ["meanwhile pstree 4242", "meanwhile pstree 4242 --filter checkout --no-stacks"],
  },
  top: {
    usage: "top PID [options]",
    text: `Shows the tasks of a program while they change, warnings first. Keys: q quits,
s sorts by something else, r turns the order around, g groups what is alike or
not, / filters, p pauses, the arrows scroll.

${WHICH_PROGRAM}`,
    examples: ["meanwhile top 4242", "meanwhile top 4242 --sort steps --filter worker"],
  },
  trace: {
    usage: "trace PID|FILE -o FILE [options]",
    text: `Records what the tasks of a program do, as a trace for ui.perfetto.dev and
chrome://tracing: which task ran, what each waited for, where the event loop was
blocked. Ctrl-C ends the recording early. A FILE is a recording, of
meanwhile run --record or of --format recording, and is turned into a trace.
A program that has called startDiagnostics() must have said level 2 or 3.

${WHICH_PROGRAM}`,
    examples: ["meanwhile trace 4242 --seconds 30 -o trace.json", "meanwhile trace run.jsonl -o trace.json"],
  },
  inspect: {
    usage: "inspect PID|FILE [options]",
    text: `Shows the tasks of a program in a browser, live: a timeline of what each did and
waited for, the tree, who holds what, where the event loop was blocked. A FILE is
a recording, of meanwhile run --record or of meanwhile trace --format recording.
Prints the address to open; Ctrl-C ends it. It listens on 127.0.0.1 alone, and
only who has the whole address can look: what stands behind # is a secret.

PID is that of a program under meanwhile run, or of one that has called
startDiagnostics(); with level 2 or 3 it also tells what has happened before.
PID-THREAD is a worker thread of it.`,
    examples: ["meanwhile inspect 4242", "meanwhile inspect run.jsonl --port 9000"],
  },
};

/** The text of a command. */
export function helpOf(command: string): string {
  const page = PAGES[command];
  const rows = Object.entries(INSPECT_OPTIONS[command] ?? {});
  if (page === undefined) return "";
  return `Usage: meanwhile ${page.usage}

${page.text}

${rows.map(([name, row]) => entry(signatureOf(name, row), textOf(row))).join("\n")}

Exit codes: 0; 2 wrong usage; 3 the program cannot be asked, or a file cannot be
used; 130, 143 ended by SIGINT, SIGTERM.

Examples
${page.examples.map((example) => `  ${example}`).join("\n")}
`;
}

const COLUMN = 21;
const WIDTH = 80;

function signatureOf(name: string, { short, value }: OptionRow): string {
  const start = short === undefined ? "" : `-${short}, `;
  return `  ${start}--${name}${value === undefined || value.includes("|") ? "" : ` ${value}`}`;
}

function textOf({ help, value, default: preset }: OptionRow): string {
  const choices = value?.includes("|") === true ? `: ${value.replaceAll("|", ", ")}` : "";
  return `${help}${choices}${typeof preset === "string" ? `; default ${preset}` : ""}`;
}

function entry(term: string, text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (COLUMN + line.length + 1 + word.length > WIDTH) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines.map((line, index) => (index === 0 ? term : "").padEnd(COLUMN) + line).join("\n");
}
