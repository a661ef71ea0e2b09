// What tasks wait for: who holds it, and who waits. Hosts and pools by themselves.

import type { Resource } from "meanwhile/diagnostics";
import { useEffect } from "preact/hooks";

import { useModel } from "../data/use-model.ts";
import { TaskLinks } from "./task-link.tsx";

const POOL = /pool|host|session|connection|limiter|thread|worker|semaphore|jobs of/iu;
const ASK_MS = 2_000;
/** How many are listed of each. */
const MOST = 200;

/** Two tables: hosts and pools, and everything else. */
export function ResourcesView() {
  const model = useModel();
  // Who holds something is told only to whoever asks.
  useEffect(() => {
    const ask = (): void => model.readStacks({ insists: false });
    ask();
    const timer = window.setInterval(ask, ASK_MS);
    return () => window.clearInterval(timer);
  }, [model]);
  const all = model.resources.toSorted(
    (a, b) => b.waiters.length - a.waiters.length || b.waits - a.waits || a.id - b.id,
  );
  if (all.length === 0) return <p class="empty">No task has waited for a lock, a queue or a pool.</p>;
  return (
    <div class="scrolls">
      <Table title="Hosts and pools" resources={all.filter(({ kind }) => POOL.test(kind))} />
      <Table title="Locks, queues and events" resources={all.filter(({ kind }) => !POOL.test(kind))} />
    </div>
  );
}

function Table({ title, resources }: { title: string; resources: readonly Resource[] }) {
  if (resources.length === 0) return null;
  return (
    <section>
      <h2>{title}</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">what is waited for</th>
            <th scope="col">held by</th>
            <th scope="col">waiting</th>
            <th scope="col" class="number">
              most
            </th>
            <th scope="col" class="number">
              waits
            </th>
          </tr>
        </thead>
        <tbody>
          {resources.slice(0, MOST).map((resource) => (
            <Row key={resource.id} resource={resource} />
          ))}
        </tbody>
      </table>
      {resources.length > MOST && <p class="empty">and {resources.length - MOST} that less waits for</p>}
    </section>
  );
}

function Row({ resource: { id, description, holders, waiters, mostWaiters, waits } }: { resource: Resource }) {
  return (
    <tr>
      <th scope="row">
        {description} <span class="muted">#{id}</span>
      </th>
      <td data-name="held by">
        {holders.length === 0 ? <span class="muted">–</span> : <TaskLinks ids={holders} most={3} />}
      </td>
      <td data-name="waiting">
        {waiters.length === 0 ? (
          <span class="muted">nobody</span>
        ) : (
          <>
            <b>{waiters.length.toLocaleString("en")}</b> <TaskLinks ids={waiters} most={3} />
          </>
        )}
      </td>
      <td class="number" data-name="most waiting">
        {mostWaiters.toLocaleString("en")}
      </td>
      <td class="number" data-name="waits">
        {waits.toLocaleString("en")}
      </td>
    </tr>
  );
}
