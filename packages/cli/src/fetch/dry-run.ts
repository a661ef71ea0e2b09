// `--dry-run` and `--curl`: reads the list and prints a line for every URL, and does nothing else.

import { EXIT } from "../errors.ts";
import { escapeControls } from "../output/escape.ts";
import { LineWriter } from "../output/line-writer.ts";
import { printError } from "../output/streams.ts";
import { renderCurl } from "./curl-command.ts";
import type { FetchOptions } from "./options.ts";
import { renderPlan } from "./plan-printer.ts";
import { shownUrl } from "./record.ts";
import { Target } from "./target.ts";
import { type OpenSource, readTargets } from "./targets.ts";

const STDOUT = 1;

/**
 * Prints what would be requested; lines that are no URL go to stderr.
 *
 * Cancellation: ends the reading; what was read is printed.
 *
 * @throws {@link CommandError} with exit code 3 if a list cannot be read or stdout not be written, with 141 if nobody reads
 */
export async function printPlan(options: FetchOptions, sources: readonly OpenSource[]): Promise<number> {
  const { print, inputFormat, maxUrls } = options;
  const render = print === "curl" ? renderCurl : renderPlan;
  const writer = new LineWriter({ fd: STDOUT, name: "stdout" });
  let exitCode: number = EXIT.ok;
  for await (const batch of readTargets(sources, { format: inputFormat, maxUrls })) {
    for (const item of batch) {
      if (item instanceof Target) writer.write(render(item, options));
      else {
        printError(`${escapeControls(`not a request: ${shownUrl(item.text)}: ${item.problem}`)}\n`);
        exitCode = EXIT.failed;
      }
    }
    await writer.flush();
  }
  return exitCode;
}
