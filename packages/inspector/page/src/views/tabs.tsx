// The parts of the page, to choose from with a pointer or with the arrow keys.

import { useRef } from "preact/hooks";

import type { Model } from "../data/model.ts";
import { useSelection, type View } from "../data/selection.ts";
import { useModel } from "../data/use-model.ts";

const VIEWS: ReadonlyArray<readonly [View, string]> = [
  ["timeline", "Timeline"],
  ["tasks", "Tasks"],
  ["resources", "Resources"],
  ["blocks", "Blocked loop"],
  ["warnings", "Warnings"],
];

/** A row of tabs. */
export function Tabs() {
  const model = useModel();
  const { view, show } = useSelection();
  const list = useRef<HTMLDivElement>(null);
  const move = (step: number): void => {
    const at = VIEWS.findIndex(([name]) => name === view);
    const [next] = VIEWS[(at + step + VIEWS.length) % VIEWS.length] ?? ["timeline"];
    show(next);
    list.current?.querySelector<HTMLElement>(`#tab-${next}`)?.focus();
  };
  const onKeyDown = ({ key }: KeyboardEvent): void => {
    if (key === "ArrowRight") move(1);
    else if (key === "ArrowLeft") move(-1);
  };
  return (
    <div class="tabs" role="tablist" aria-label="Parts of the page" ref={list} onKeyDown={onKeyDown}>
      {VIEWS.map(([name, text]) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          role="tab"
          aria-selected={view === name}
          aria-controls="view"
          tabIndex={view === name ? 0 : -1}
          onClick={() => show(name)}
        >
          {text} <Count model={model} view={name} />
        </button>
      ))}
    </div>
  );
}

function Count({ model, view }: { model: Model; view: View }) {
  const count = countOf(model, view);
  if (count === 0) return null;
  const isBad = view === "blocks" || view === "warnings";
  return <span class={isBad ? "count bad" : "count"}>{count.toLocaleString("en")}</span>;
}

function countOf({ state, history }: Model, view: View): number {
  switch (view) {
    case "timeline":
      return 0;
    case "tasks":
      return state.tasks.size;
    case "resources":
      return state.resources.length;
    case "blocks":
      return history.blocks.size;
    default:
      return state.warnings.length;
  }
}
