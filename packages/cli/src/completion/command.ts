// `meanwhile completion bash|zsh|fish`: what the shell needs to complete commands and options.

import { EXIT, usageError } from "../errors.ts";
import { print } from "../output/streams.ts";
import { bashScript } from "./bash.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

const HELP = `Usage: meanwhile completion bash|zsh|fish

Prints a script that completes the commands and options of meanwhile:
  bash   source <(meanwhile completion bash)
  zsh    source <(meanwhile completion zsh)        after compinit
  fish   meanwhile completion fish | source
`;

const SHELLS: Readonly<Record<string, (shells: readonly string[]) => string>> = {
  bash: bashScript,
  fish: fishScript,
  zsh: zshScript,
};

/**
 * Runs `meanwhile completion`.
 *
 * Cancellation: not noticed; nothing is waited for.
 */
export async function runCompletion(args: readonly string[]): Promise<number> {
  const [shell = "", ...rest] = args;
  if (shell === "--help" || shell === "-h") {
    print(HELP);
    return EXIT.ok;
  }
  const script = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
  if (script === undefined || rest.length > 0) throw usageError("completion needs one shell: bash, fish or zsh");
  print(script(Object.keys(SHELLS)));
  return EXIT.ok;
}
