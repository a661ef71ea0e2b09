import { sleep } from "meanwhile";

import { turns } from "./foreign.ts";

async function child(): Promise<string> {
  try {
    await turns(0);
    return "value";
  } finally {
    await turns(1);
  }
}

async function* items(): AsyncGenerator<number, void> {
  for (const item of [1, 2]) {
    await turns(0);
    yield item;
  }
}

export async function program(): Promise<void> {
  await child();
  await Promise.all([child(), child()]);
  for await (const item of items()) if (item === 2) break;
  await sleep(1);
}
