// What a chapter of the tour is.

import type { Stage } from "./stage.ts";

/** One chapter: one file in chapters/. */
export interface Chapter {
  readonly title: string;
  /** `import.meta.url` of the file whose code it shows and runs. */
  readonly moduleUrl: string;
  /** What is run as a program of its own, by `runAsProgram`. */
  readonly program?: () => Promise<void>;
  /** Runs the code and shows what came out. Ends by itself. */
  readonly play: (stage: Stage) => Promise<void>;
}
