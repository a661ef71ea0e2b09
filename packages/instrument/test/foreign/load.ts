// Loads the scenarios, as they are and instrumented.

import { instrument, type Scenario } from "./driver.ts";

type Scenarios = Readonly<Record<string, Scenario>>;

/** What the scenarios are built on that need nothing but this process: the names of their files. */
export const GROUPS = ["promises", "network", "files", "events", "streams", "timers", "pools"] as const;

/** The scenarios of some files. To be called once in a process: what is loaded afterwards is instrumented. */
export async function load(
  groups: readonly string[],
): Promise<ReadonlyMap<string, { readonly plain: Scenarios; readonly instrumented: Scenarios }>> {
  const urls = groups.map((group) => [group, new URL(`./scenarios/${group}.ts`, import.meta.url).href] as const);
  const plain = new Map<string, Scenarios>();
  for (const [group, url] of urls) plain.set(group, await scenariosIn(`${url}?plain`));
  await instrument();
  const loaded = new Map<string, { plain: Scenarios; instrumented: Scenarios }>();
  for (const [group, url] of urls)
    loaded.set(group, { plain: plain.get(group) ?? {}, instrumented: await scenariosIn(url) });
  return loaded;
}

async function scenariosIn(url: string): Promise<Scenarios> {
  return ((await import(url)) as { readonly scenarios: Scenarios }).scenarios;
}
