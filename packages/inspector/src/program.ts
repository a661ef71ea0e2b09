// The main module of the process of a viewer: see viewer/spawn-viewer.ts. Nobody imports it.

import type { ViewerOrder, ViewerReply } from "./viewer/spawn-viewer.ts";
import { startViewer } from "./viewer/viewer.ts";

process.once("message", (order) => void obey(order as ViewerOrder));
// Whoever has started it is gone: nobody is left to end it.
process.once("disconnect", () => process.exit());

async function obey({ target, options }: ViewerOrder): Promise<void> {
  try {
    const { url } = await startViewer(target, options);
    reply({ url });
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
    process.disconnect();
  }
}

function reply(message: ViewerReply): void {
  if (process.send !== undefined) process.send(message);
}
