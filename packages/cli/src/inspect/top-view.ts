// What `meanwhile top` shows, as its keys change it. Pure: a view and a key give the next view.

export const SORTS = ["since", "count", "steps", "age", "name"] as const;

/** What comes first. */
export type Sort = (typeof SORTS)[number];

/** What is shown, and from where on. */
export interface TopView {
  readonly sort: Sort;
  readonly reversed: boolean;
  readonly all: boolean;
  readonly filter: string;
  /** Whether the filter is being typed. */
  readonly isTyping: boolean;
  readonly isPaused: boolean;
  /** How many rows are above the first one that is shown. */
  readonly scrolled: number;
  readonly isOver: boolean;
}

/** The keys of a terminal, as it sends them. */
const UP = new Set(["\u001b[A", "\u001bOA", "k"]);
const DOWN = new Set(["\u001b[B", "\u001bOB", "j"]);
const PAGE_UP = "\u001b[5~";
const PAGE_DOWN = new Set(["\u001b[6~", " "]);
const HOME = new Set(["\u001b[H", "\u001b[1~", "\u001bOH"]);
const QUIT = new Set(["q", "Q", "\u0003", "\u0004"]);
const ESCAPE = "\u001b";
const PAGE = 10;

/** The keys in what a terminal has sent. */
export function keysIn(text: string): string[] {
  // eslint-disable-next-line no-control-regex -- keys are control sequences
  return text.match(/\u001b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])?|[^]/gu) ?? [];
}

/** The view after a key. */
export function pressed(view: TopView, key: string): TopView {
  if (view.isTyping) return typed(view, key);
  if (QUIT.has(key)) return { ...view, isOver: true };
  if (key === "s") return { ...view, sort: SORTS[(SORTS.indexOf(view.sort) + 1) % SORTS.length] ?? view.sort };
  if (key === "r") return { ...view, reversed: !view.reversed };
  if (key === "g") return { ...view, all: !view.all, scrolled: 0 };
  if (key === "p") return { ...view, isPaused: !view.isPaused };
  if (key === "/") return { ...view, isTyping: true };
  if (key === ESCAPE) return { ...view, filter: "", scrolled: 0 };
  return scrolledBy(view, key);
}

function scrolledBy(view: TopView, key: string): TopView {
  const to = (scrolled: number): TopView => ({ ...view, scrolled: Math.max(0, scrolled) });
  if (UP.has(key)) return to(view.scrolled - 1);
  if (DOWN.has(key)) return to(view.scrolled + 1);
  if (key === PAGE_UP) return to(view.scrolled - PAGE);
  if (PAGE_DOWN.has(key)) return to(view.scrolled + PAGE);
  return HOME.has(key) ? to(0) : view;
}

function typed(view: TopView, key: string): TopView {
  const { filter } = view;
  if (key === "\u0003") return { ...view, isOver: true };
  if (key === "\r" || key === "\n") return { ...view, isTyping: false };
  if (key === ESCAPE) return { ...view, isTyping: false, filter: "", scrolled: 0 };
  if (key === "\u007f" || key === "\b") return { ...view, filter: filter.replace(/.$/su, ""), scrolled: 0 };
  if (/^\p{Cc}/u.test(key)) return view;
  return { ...view, filter: filter + key, scrolled: 0 };
}
