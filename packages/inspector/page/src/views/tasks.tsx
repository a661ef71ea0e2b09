// The tasks as a tree with what they wait for, or grouped by what they have in common.

import { useMemo, useState } from "preact/hooks";

import { type LaneRow, orderLanes } from "../../../src/timeline/lane-order.ts";
import type { Lane } from "../../../src/timeline/lane.ts";
import type { Model } from "../data/model.ts";
import { useSelection } from "../data/selection.ts";
import { useModel } from "../data/use-model.ts";
import { GroupList } from "./groups.tsx";
import { laneStateClass, laneStateText } from "./state-text.ts";
import { VirtualList } from "./virtual-list.tsx";

const ROW = 26;

const STATES = ["alive", "waiting", "running", "ended", "all"] as const;
type State = (typeof STATES)[number];

/** Tasks with a filter. */
export function TasksView() {
  const model = useModel();
  const [text, setText] = useState("");
  const [kind, setKind] = useState<"tree" | "groups">("tree");
  const [state, setState] = useState<State>(model.isRecording && model.state.tasks.size === 0 ? "all" : "alive");
  return (
    <div class="tasks">
      <form class="tools" role="search" onSubmit={(event) => event.preventDefault()}>
        <input
          type="search"
          placeholder="Filter"
          aria-label="Filter by name, number or what is waited for"
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <label>
          <span class="sr">Show as</span>
          <select
            value={kind}
            onChange={({ currentTarget }) => setKind(currentTarget.value === "groups" ? "groups" : "tree")}
          >
            <option value="tree">as a tree</option>
            <option value="groups">alike in one</option>
          </select>
        </label>
        <label>
          <span class="sr">Which tasks</span>
          <select
            value={state}
            onChange={({ currentTarget }) => setState(STATES[currentTarget.selectedIndex] ?? "all")}
          >
            {STATES.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </label>
      </form>
      {kind === "tree" ? <Tree model={model} text={text} state={state} /> : <GroupList model={model} text={text} />}
    </div>
  );
}

function Tree({ model, text, state }: { model: Model; text: string; state: State }) {
  const { task, select } = useSelection();
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(new Set());
  const { history } = model;
  const rows = useMemo(
    () => orderLanes(history.lanes, { shows: filterOf(model, text, state), collapsed }),
    // The numbers of the model stand for all that is in it.
    [model.version, text, state, collapsed],
  );
  if (rows.length === 0) return <p class="empty">No task is like that.</p>;
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = rows.findIndex(({ lane }) => lane.id === task);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (next !== undefined) select(next.lane.id);
  };
  const toggle = (id: number): void => {
    const next = new Set(collapsed);
    if (!next.delete(id)) next.add(id);
    setCollapsed(next);
  };
  return (
    <VirtualList
      label="Tasks"
      count={rows.length}
      rowHeight={ROW}
      onKeyDown={onKeyDown}
      row={(at) => {
        const row = rows[at];
        return row === undefined ? null : (
          <TreeRow row={row} model={model} isOpen={!collapsed.has(row.lane.id)} toggle={toggle} />
        );
      }}
    />
  );
}

interface TreeRowProps {
  readonly row: LaneRow;
  readonly model: Model;
  readonly isOpen: boolean;
  readonly toggle: (id: number) => void;
}

function TreeRow({ row: { lane, depth, children }, model, isOpen, toggle }: TreeRowProps) {
  const { task, select } = useSelection();
  return (
    <div
      class={task === lane.id ? "tree-row selected" : "tree-row"}
      style={{ paddingLeft: `${Math.min(depth, 12) * 16}px` }}
    >
      {children > 0 ? (
        <button
          type="button"
          class="twist"
          aria-expanded={isOpen}
          aria-label="What belongs to it"
          onClick={() => toggle(lane.id)}
        >
          {isOpen ? "▾" : "▸"}
        </button>
      ) : (
        <span class="twist" />
      )}
      <span class={`dot ${laneStateClass(lane)}`} aria-hidden="true" />
      <button type="button" class="name" aria-pressed={task === lane.id} onClick={() => select(lane.id)}>
        <bdi>{lane.name}</bdi> <span class="muted">#{lane.id}</span>
      </button>
      <span class="state">{laneStateText(lane, model.history)}</span>
    </div>
  );
}

function filterOf({ history }: Model, text: string, state: State): ((lane: Lane) => boolean) | undefined {
  const wanted = text.trim().toLowerCase();
  if (wanted === "" && state === "all") return undefined;
  return (lane) => isInState(lane, state) && (wanted === "" || isLike(lane, wanted));

  function isLike(lane: Lane, part: string): boolean {
    if (lane.name.toLowerCase().includes(part) || `#${lane.id}` === part || String(lane.id) === part) return true;
    return lane.waitingSinceMs !== null && history.texts.text(lane.lastReason).toLowerCase().includes(part);
  }
}

function isInState(lane: Lane, state: State): boolean {
  if (state === "all") return true;
  if (state === "ended") return lane.endedAtMs !== null;
  if (lane.endedAtMs !== null) return false;
  return state === "alive" || laneStateClass(lane) === state;
}
