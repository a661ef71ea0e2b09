import { turns } from "./foreign.ts";

await turns(3);

export const loaded = true;
