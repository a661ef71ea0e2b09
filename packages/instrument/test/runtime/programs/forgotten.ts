import { type Log, turns } from "./foreign.ts";

async function save(log: Log): Promise<void> {
  await turns(1);
  log("saved");
}

function saveLater(log: Log): Promise<void> {
  return turns(1).then(() => log("saved later"));
}

export async function forgets(log: Log): Promise<void> {
  for (let count = 0; count < 2; count += 1) {
    save(log);
  }
  await turns(2);
}

export async function forgetsMethod(log: Log): Promise<void> {
  const store = { save: async (): Promise<void> => await save(log) };
  store.save();
  await turns(2);
}

export async function doesNotForget(log: Log): Promise<void> {
  void save(log);
  saveLater(log);
  const later = save(log);
  log("goes on");
  await later;
  await turns(2);
}
