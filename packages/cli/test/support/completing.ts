// What the shells themselves make of our completion: each one is started, and asked to complete a line.

import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A shell that completes. */
export interface Shell {
  readonly name: "bash" | "fish" | "zsh";
  /** Why it cannot be asked here; false if it can. */
  readonly skip: string | false;
  /** What it would put in place of the last word. Files are those of `directory`, where `script` is, too. */
  readonly complete: (line: string, options: { readonly script: string; readonly directory: string }) => string[];
}

/** A shell that hangs fails the test, and not the whole run. */
const LONGEST_MS = 20_000;

export const SHELLS: readonly Shell[] = [
  { name: "bash", skip: missing("bash"), complete: completeInBash },
  { name: "fish", skip: missing("fish"), complete: completeInFish },
  { name: "zsh", skip: missing("zsh"), complete: completeInZsh },
];

/** Why a program cannot be used here; false if it can. */
export function missing(program: string): string | false {
  return spawnSync(program, ["--version"]).status === 0 ? false : `${program} is not installed`;
}

interface Place {
  readonly script: string;
  readonly directory: string;
}

function start(command: readonly string[], cwd: string, input = ""): string {
  const [program = "", ...args] = command;
  const env = { ...process.env, HOME: cwd, TERM: "dumb" };
  return spawnSync(program, args, { cwd, env, encoding: "utf8", input, timeout: LONGEST_MS }).stdout;
}

/** The words as bash has split them at its COMP_WORDBREAKS. */
function completeInBash(line: string, { script, directory }: Place): string[] {
  const words = line.split(/ +|(=)/).filter((word) => word !== undefined);
  const shown = words.map((word) => `'${word}'`).join(" ");
  const program = `source ${script}; COMP_WORDS=(${shown}); COMP_CWORD=${words.length - 1}; _meanwhile; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return linesOf(start(["bash", "--norc", "-c", program], directory));
}

/**
 * Types lines into a bash at a terminal, ends each, and returns the arguments that `meanwhile` had. Skip it where there is
 * no `script` of util-linux.
 */
export function typeIntoBash(lines: readonly string[], { script, directory }: Place): string[][] {
  const settings = "PS1=; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'";
  const command = "meanwhile() { printf '<%s>' \"$@\"; echo; }";
  const input = [`${settings}; ${command}; source ${script}`, ...lines, "exit", ""].join("\n");
  const output = start(["script", "-qec", "bash --norc -i", "/dev/null"], directory, input);
  const printed = output.split(/\r?\n/).filter((line) => line.startsWith("<"));
  return printed.map((line) => [...line.matchAll(/<(.*?)>/g)].map(([, word]) => String(word)));
}

function completeInFish(line: string, { script, directory }: Place): string[] {
  const output = start(["fish", "--no-config", "-c", `source ${script}; complete -C '${line}'`], directory);
  return linesOf(output).map((reply) => String(reply.split("\t")[0]));
}

/** zsh completes only at a terminal: one of its own, in which whatever is added as a match is noted in a file. */
function completeInZsh(line: string, { script, directory }: Place): string[] {
  const [settings, driver, noted] = ["settings", "driver", "noted"].map((name) => join(directory, `.zsh-${name}`));
  writeFileSync(String(settings), zshSettings({ script, directory }, String(noted)));
  writeFileSync(String(driver), zshDriver(String(settings)));
  writeFileSync(String(noted), "");
  start(["zsh", "-f", String(driver), line], directory);
  return [...new Set(linesOf(readFileSync(String(noted), "utf8")))];
}

function zshDriver(settings: string): string {
  return `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "source ${settings}; print -r rea''dy"
while zpty -r shell line; do [[ $line == *ready* ]] && break; done
zpty -w -n shell "$1"$'\\t'
while zpty -r shell line; do :; done
`;
}

function zshSettings({ script, directory }: Place, noted: string): string {
  return `PS1=
autoload -U compinit
compinit -u -d ${join(directory, ".zsh-dump")}
source ${script}
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
comppostfuncs=(finish)
finish() { exit }
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a matches
  builtin compadd -A matches "$@"
  local match
  for match in $matches; do print -r -- $IPREFIX$match >> ${noted}; done
  builtin compadd "$@"
}
`;
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}
