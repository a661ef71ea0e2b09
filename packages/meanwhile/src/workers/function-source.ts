// A function as text, on its way to a thread of toThread.

/** The text of a function, and what is known of it. */
export class FunctionSource {
  readonly text: string;
  /** "" if it has none. */
  readonly name: string;
  /** The URL of the file that asked for it; "" if that is not known. Relative imports of the function start there. */
  readonly file: string;

  constructor(text: string, name: string, file: string) {
    this.text = text;
    this.name = name;
    this.file = file;
  }
}
