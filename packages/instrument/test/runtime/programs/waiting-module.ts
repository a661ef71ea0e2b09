import { turns } from "./foreign.ts";

await turns(5);

export const loaded = true;
