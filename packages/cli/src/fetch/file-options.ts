// How bodies become files.

import { usageError } from "../errors.ts";
import { checkTemplate } from "./name-template.ts";
import type { Values } from "./read-options.ts";

/** What happens where a file of that name is there already. */
type ExistingFile = "keep" | "overwrite" | "skip";

export interface FileOptions {
  readonly directory: string;
  /** The template of the names; undefined for the last part of the URL. */
  readonly template: string | undefined;
  /** Whether `Content-Disposition` gives the name, where a server sends it. */
  readonly serverNames: boolean;
  readonly existing: ExistingFile;
  /** Whether a part that came is kept, and gone on with later. */
  readonly resume: boolean;
  /** Whether even small files are synced. */
  readonly fsync: boolean;
}

const NEEDS_DIRECTORY = ["name", "content-disposition", "overwrite", "skip-existing", "resume", "fsync"] as const;

/** @throws {@link CommandError} with exit code 2 */
export function readFileOptions(values: Values): FileOptions | undefined {
  const { output: directory, name: template } = values;
  if (directory === undefined) {
    const lonely = NEEDS_DIRECTORY.find((option) => values[option] !== undefined && values[option] !== false);
    if (lonely !== undefined) throw usageError(`--${lonely} needs -o DIR`);
    return undefined;
  }
  if (directory === "") throw usageError("-o needs the name of a directory");
  if (template !== undefined) checkTemplate(template);
  const serverNames = values["content-disposition"];
  const isSkipping = values["skip-existing"];
  if (isSkipping && values.overwrite) throw usageError("use either --overwrite or --skip-existing, not both");
  if (isSkipping && serverNames) {
    throw usageError("--skip-existing cannot know the names of --content-disposition; use one of them");
  }
  if (values.resume && serverNames) {
    throw usageError("--resume cannot know the names of --content-disposition; use one of them");
  }
  return {
    directory,
    template,
    serverNames,
    existing: existingFile(isSkipping, values),
    resume: values.resume,
    fsync: values.fsync,
  };
}

function existingFile(isSkipping: boolean, { overwrite }: Values): ExistingFile {
  if (isSkipping) return "skip";
  return overwrite ? "overwrite" : "keep";
}
