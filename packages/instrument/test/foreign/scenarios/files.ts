// `node:fs/promises`.

import { type FileHandle, mkdtemp, opendir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { shield } from "meanwhile";

import type { Activity } from "../activity.ts";
import type { Scenario } from "../driver.ts";
import { open } from "../world.ts";

/** A folder that is removed with all that is in it. */
async function withFolder<T>(
  around: Activity,
  parent: string,
  use: (folder: string, me: Activity) => Promise<T>,
): Promise<T> {
  // Not lost, if it is made while the cancellation comes.
  const folder = await shield(() => mkdtemp(join(parent, "run-")));
  const me = around.begins("folder");
  try {
    return await use(folder, me);
  } finally {
    me.cleansUp();
    await rm(folder, { recursive: true });
    me.ends();
  }
}

/** A file that is closed at the end, and not lost if it is opened while the cancellation comes. */
async function withFile<T>(
  around: Activity,
  path: string,
  { flags = "r", use }: { readonly flags?: string; readonly use: (file: FileHandle) => Promise<T> },
): Promise<T> {
  const file = await shield(() => open(path, flags));
  const me = around.begins("file");
  try {
    return await use(file);
  } finally {
    me.cleansUp();
    await file.sync();
    await file.close();
    me.ends();
  }
}

async function linesOf(file: FileHandle): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of file.readLines({ autoClose: false })) lines.push(line);
  return lines;
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "a file that is written and read": {
    run: ({ root, place }) =>
      withFolder(root, place.folder, (folder, me) =>
        withFile(me, join(folder, "a"), {
          flags: "w+",
          use: async (file) => {
            await file.write("some ");
            await file.write("text");
            const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
            return buffer.toString("utf8", 0, bytesRead);
          },
        }),
      ),
  },
  "two files at once": {
    run: ({ root, place }) =>
      withFolder(root, place.folder, async (folder, me) => {
        const write = (name: string): Promise<void> =>
          withFile(me, join(folder, name), { flags: "w", use: (file) => file.writeFile(name) });
        await Promise.all([write("a"), write("b")]);
        return [await readFile(join(folder, "a"), "utf8"), await readFile(join(folder, "b"), "utf8")];
      }),
  },
  "a file that is opened without a shield": {
    mayLose: 1,
    run: async ({ place }) => {
      const file = await open(place.file);
      try {
        return (await file.stat()).size;
      } finally {
        await file.close();
      }
    },
  },
  "a file in a block with await using": {
    run: async ({ place }) => {
      await using file = await shield(() => open(place.file));
      return (await file.readFile("utf8")).length + (await file.stat()).size;
    },
  },
  "the lines of a file": {
    run: ({ root, place }) => withFile(root, place.file, { use: linesOf }),
  },
  "the entries of a folder": {
    run: ({ root, place }) =>
      withFolder(root, place.folder, async (folder) => {
        for (const name of ["a", "b", "c"]) await writeFile(join(folder, name), name);
        const names: string[] = [];
        for await (const { name } of await shield(() => opendir(folder))) names.push(name);
        return names.toSorted();
      }),
  },
};
