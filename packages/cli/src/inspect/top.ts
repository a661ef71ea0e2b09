// `meanwhile top`: the tasks of a program while they change, on a terminal.

import { cancellable, race } from "meanwhile";
import { LiveState } from "meanwhile/diagnostics";

import { EXIT, usageError } from "../errors.ts";
import { choose } from "../fetch/read-options.ts";
import { print, printError } from "../output/streams.ts";
import { askStream } from "./ask.ts";
import { TOP_OPTIONS } from "./option-tables.ts";
import { Paper } from "./paper.ts";
import { onlyArgument, readArguments } from "./read-arguments.ts";
import { runCommand } from "./run-command.ts";
import { StepRates } from "./step-rates.ts";
import { findProgram, nameOf } from "./target.ts";
import { renderTop } from "./top-frame.ts";
import { keysIn, pressed, SORTS, type TopView } from "./top-view.ts";

// The other screen of the terminal, so that what was there is there again at the end; without a cursor.
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";

/**
 * Runs `meanwhile top`.
 *
 * Cancellation: the terminal is as it was.
 */
export async function runTop(args: readonly string[]): Promise<number> {
  const parsed = readArguments("top", args, TOP_OPTIONS);
  if (parsed === EXIT.ok) return parsed;
  const { values, positionals } = parsed;
  const target = onlyArgument("top", positionals, "the PID of a program");
  const sort = choose("--sort", values.sort, SORTS);
  if (!process.stdout.isTTY || !process.stdin.isTTY) {
    throw usageError("top needs a terminal; meanwhile ps PID prints the state once");
  }
  const { all, filter = "" } = values;
  const view = { sort, all, filter, reversed: false, isTyping: false, isPaused: false, scrolled: 0, isOver: false };
  return runCommand("top", async () => watch(target, view));
}

async function watch(target: string, view: TopView): Promise<number> {
  const program = findProgram(target);
  const shown = { state: new LiveState(), rates: new StepRates() };
  let hasEnded = false;
  {
    using screen = new Screen(view, shown);
    const listen = async (): Promise<void> => {
      for await (const message of askStream(program, "/v1/stream")) {
        shown.state.apply(message);
        shown.rates.look(shown.state);
        if (message.type !== "hello") screen.changed();
      }
      hasEnded = true;
    };
    await race([listen, () => cancellable(screen.whenOver)]);
  }
  if (hasEnded) printError(`meanwhile top: ${nameOf(program)} has ended\n`);
  return EXIT.ok;
}

/** The terminal, from when it is taken over until it is given back. */
class Screen implements Disposable {
  #view: TopView;
  readonly #shown: { readonly state: LiveState; readonly rates: StepRates };
  readonly #over = Promise.withResolvers<void>();

  constructor(view: TopView, shown: { readonly state: LiveState; readonly rates: StepRates }) {
    this.#view = view;
    this.#shown = shown;
    print(ENTER);
    process.once("exit", this.#leave);
    process.stdout.on("resize", this.#draw);
    process.stdin.setRawMode(true).setEncoding("utf8").on("data", this.#read);
    this.#draw();
  }

  /** Resolves when it was left by a key. */
  get whenOver(): Promise<void> {
    return this.#over.promise;
  }

  /** The state is another one. */
  changed(): void {
    if (!this.#view.isPaused) this.#draw();
  }

  [Symbol.dispose](): void {
    process.off("exit", this.#leave);
    process.stdout.off("resize", this.#draw);
    process.stdin.off("data", this.#read).pause();
    this.#leave();
  }

  readonly #leave = (): void => {
    process.stdin.setRawMode(false);
    print(LEAVE);
  };

  readonly #read = (text: string): void => {
    for (const key of keysIn(text)) this.#view = pressed(this.#view, key);
    if (this.#view.isOver) this.#over.resolve();
    else this.#draw();
  };

  readonly #draw = (): void => {
    const { rows } = process.stdout;
    const lines = renderTop({ ...this.#shown, view: this.#view }, Paper.ofStdout(), rows || 24);
    print(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join("\r\n")}${CLEAR_BELOW}`);
  };
}
