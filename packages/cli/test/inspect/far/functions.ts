// What a worker serves in the tests that follow calls to it.

import { sleepForever, taskGroup } from "meanwhile";

async function inner(): Promise<void> {
  await sleepForever();
}

export async function crunch(): Promise<void> {
  await taskGroup(async (group) => {
    group.createTask(inner, { name: "deep" });
  });
}
