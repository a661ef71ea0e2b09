// The example of the note, recorded: `node note.ts sequential|concurrent FILE`.

import { run, sleep, taskGroup } from "meanwhile";
import { startDiagnostics } from "meanwhile/diagnostics";

const URLS = ["api.com/1", "api.com/2", "api.com/3"];

async function fetchData(url: string): Promise<string> {
  await sleep(200); // stands for the network
  return `Data from ${url}`;
}

/** Fetches some at once, each as a task with a line of its own in the picture. */
async function fetchAll(urls: readonly string[]): Promise<void> {
  await taskGroup(async (group) => {
    for (const url of urls) group.createTask(() => fetchData(url), { name: `fetchData("${url}")` });
  });
}

async function sequential(): Promise<void> {
  for (const url of URLS) await fetchAll([url]);
}

async function concurrent(): Promise<void> {
  await fetchAll(URLS);
}

const [, , which = "", record = ""] = process.argv;
await using _diagnostics = startDiagnostics({ level: 2, socket: false, report: false, record });
await run(which === "sequential" ? sequential : concurrent, { name: "main" });
