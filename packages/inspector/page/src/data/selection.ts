// Which task is looked at, and which part of the page.

import { createContext } from "preact";
import { useContext } from "preact/hooks";

/** The parts of the page. */
export type View = "timeline" | "tasks" | "resources" | "blocks" | "warnings";

/** What is looked at, and how to look at something else. */
export interface Selection {
  readonly task: number | null;
  readonly select: (task: number | null) => void;
  readonly view: View;
  readonly show: (view: View) => void;
}

export const SelectionContext = createContext<Selection>({
  task: null,
  select: () => {},
  view: "timeline",
  show: () => {},
});

/** What is looked at. */
export function useSelection(): Selection {
  return useContext(SelectionContext);
}
