// Where the files are that threads and processes start with.

/**
 * The URL of a file of this folder, as it lies beside the code that asks: a source, a built file, or one of the few files
 * that a build for Node makes of all.
 *
 * @param name - of the file, without its ending
 * @param from - the `import.meta.url` of the code
 */
export function entryUrl(name: string, from: string): URL {
  const ending = /\.ts(?:[?#]|$)/.test(from) ? "ts" : "js";
  const isInFolder = /\/workers\/[^/]*$/.test(from);
  return new URL(`${isInFolder ? "" : "workers/"}${name}.${ending}`, from);
}
