// One task: what it does, for what it waits and where, and how it has spent its time.

import type { TaskRecord } from "meanwhile/diagnostics";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { type Lane, sumsOf } from "../../../src/timeline/lane.ts";
import type { RunHistory } from "../../../src/timeline/run-history.ts";
import { durationText } from "../../../src/timeline/time-scale.ts";
import { useSelection } from "../data/selection.ts";
import { useModel } from "../data/use-model.ts";
import { Far } from "./far.tsx";
import { Stack } from "./stack.tsx";
import { laneStateText, scopeText } from "./state-text.ts";
import { TaskLink } from "./task-link.tsx";

/** How many kinds of waits are listed. */
const MOST_REASONS = 8;

/** What is known of a task. */
export function Detail({ id }: { id: number }) {
  const model = useModel();
  const { select } = useSelection();
  const lane = model.history.lanes.get(id);
  const record = model.recordOf(id);
  return (
    <aside class="detail" aria-label="The selected task">
      <button type="button" class="close" aria-label="Close" onClick={() => select(null)}>
        ×
      </button>
      <h2>
        <bdi>{lane?.name ?? `task ${id}`}</bdi> <span class="muted">#{id}</span>
      </h2>
      {lane === undefined ? (
        <p class="muted">Nothing is known of this task any more.</p>
      ) : (
        <Life lane={lane} record={record} />
      )}
      {record !== undefined && model.mayCancel && <CancelButton record={record} />}
      {record !== undefined && <Waits record={record} />}
      {record !== undefined && <Far record={record} />}
      {lane !== undefined && <Reasons lane={lane} history={model.history} />}
    </aside>
  );
}

function Life({ lane, record }: { lane: Lane; record: TaskRecord | undefined }) {
  const { history } = useModel();
  const { runningMs, waitingMs, unknownMs } = sumsOf(lane, history.nowMs);
  const [cancelled] = lane.cancels;
  // Of a recording by an older version none are known.
  const scopes = (record?.scopes ?? []).map((scope) => scopeText(scope, history.nowMs)).filter((text) => text !== "");
  return (
    <>
      <dl class="facts">
        <Fact name="state">{laneStateText(lane, history)}</Fact>
        {lane.parent !== 0 && (
          <Fact name="belongs to">
            <TaskLink id={lane.parent} />
          </Fact>
        )}
        <Fact name="made at">{durationText(lane.createdAtMs - history.startMs)}</Fact>
        <Fact name="lasted">{durationText((lane.endedAtMs ?? history.nowMs) - lane.createdAtMs)}</Fact>
        <Fact name="ran">{durationText(runningMs)}</Fact>
        <Fact name="waited">{durationText(waitingMs)}</Fact>
        {unknownMs > 0 && <Fact name="not recorded">{durationText(unknownMs)}</Fact>}
        {cancelled !== undefined && <Fact name="cancelled at">{durationText(cancelled - history.startMs)}</Fact>}
        {scopes.length > 0 && <Fact name="inside of">{scopes.join(" › ")}</Fact>}
        {record !== undefined && <Fact name="steps">{record.steps.toLocaleString("en")}</Fact>}
      </dl>
      {record !== undefined && record.createdAt.length > 0 && (
        <>
          <h3>Made here</h3>
          <Stack places={record.createdAt} />
        </>
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Only where it is allowed, and never by one slip of the hand. */
function CancelButton({ record: { id, name, cancelledAtMs } }: { record: TaskRecord }) {
  const model = useModel();
  const [problem, setProblem] = useState("");
  const onClick = async (): Promise<void> => {
    if (!window.confirm(`Cancel task ${id} "${name}" and everything below it?`)) return;
    setProblem(await model.cancel(id));
  };
  return (
    <p class="cancel">
      <button type="button" disabled={cancelledAtMs !== null} onClick={() => void onClick()}>
        Cancel this task
      </button>
      {problem !== "" && <span role="alert"> {problem}</span>}
    </p>
  );
}

function Waits({ record }: { record: TaskRecord }) {
  const model = useModel();
  if (record.waits.length === 0) return null;
  return (
    <>
      <h3>Waits for</h3>
      {record.waits.map((wait, at) => (
        <div key={at} class="wait">
          <p>
            {wait.for} <span class="muted">for {durationText(Math.max(0, model.history.nowMs - wait.sinceMs))}</span>
          </p>
          {wait.task !== null && (
            <p>
              <TaskLink id={wait.task} />
            </p>
          )}
          <Stack places={wait.stack} />
        </div>
      ))}
      {model.asksForStacks && (
        <button type="button" onClick={() => model.readStacks({ insists: true })}>
          Read the stacks
        </button>
      )}
    </>
  );
}

function Reasons({ lane, history }: { lane: Lane; history: RunHistory }) {
  const reasons = reasonsOf(lane, history);
  if (reasons.length === 0) return null;
  return (
    <>
      <h3>Waited for</h3>
      <table class="reasons">
        <tbody>
          {reasons.slice(0, MOST_REASONS).map(({ text, count, ms }) => (
            <tr key={text}>
              <th scope="row">{text}</th>
              <td class="number">{count.toLocaleString("en")} ×</td>
              <td class="number">{durationText(ms)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function reasonsOf(lane: Lane, { texts, nowMs }: RunHistory): Array<{ text: string; count: number; ms: number }> {
  const sums = new Map<number, { text: string; count: number; ms: number }>();
  for (const [at, reason] of lane.reasons.entries()) {
    const sum = sums.get(reason) ?? { text: texts.text(reason) || "something", count: 0, ms: 0 };
    sum.count += 1;
    sum.ms += (lane.edges[at * 2 + 1] ?? nowMs) - (lane.edges[at * 2] ?? nowMs);
    sums.set(reason, sum);
  }
  return [...sums.values()].toSorted((a, b) => b.ms - a.ms);
}
