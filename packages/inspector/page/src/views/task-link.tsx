// The name of a task, which shows it when it is clicked.

import { useSelection } from "../data/selection.ts";
import { useModel } from "../data/use-model.ts";

/** A task by its number; its name is looked up unless it is given. */
export function TaskLink({ id, name }: { id: number; name?: string }) {
  const { history } = useModel();
  const { select } = useSelection();
  const text = name ?? history.lanes.get(id)?.name ?? "task";
  return (
    <button type="button" class="link" onClick={() => select(id)} title={`Task ${id}`}>
      <bdi>{text}</bdi> <span class="muted">#{id}</span>
    </button>
  );
}

/** Some tasks; of many only the first. */
export function TaskLinks({ ids, most = 5 }: { ids: readonly number[]; most?: number }) {
  return (
    <span class="links">
      {ids.slice(0, most).map((id) => (
        <TaskLink key={id} id={id} />
      ))}
      {ids.length > most && <span class="muted">and {(ids.length - most).toLocaleString("en")} more</span>}
    </span>
  );
}
