// The frame of the page: what program it is, the parts to choose from, and the task that is looked at.

import { useEffect, useMemo, useState } from "preact/hooks";

import type { Model } from "./data/model.ts";
import { type Selection, SelectionContext, type View } from "./data/selection.ts";
import { ModelContext, useModel } from "./data/use-model.ts";
import { TimelineView } from "./timeline/timeline-view.tsx";
import { BlocksView } from "./views/blocks.tsx";
import { Detail } from "./views/detail.tsx";
import { Header } from "./views/header.tsx";
import { ResourcesView } from "./views/resources.tsx";
import { Tabs } from "./views/tabs.tsx";
import { TasksView } from "./views/tasks.tsx";
import { WarningsView } from "./views/warnings.tsx";

/** The whole page. */
export function App({ model }: { model: Model }) {
  const [task, select] = useState<number | null>(null);
  const [view, show] = useState<View>("timeline");
  const selection = useMemo<Selection>(() => ({ task, select, view, show }), [task, view]);
  useEffect(() => {
    if (task !== null) model.readStacks({ insists: false });
  }, [task, model]);
  return (
    <ModelContext.Provider value={model}>
      <SelectionContext.Provider value={selection}>
        <Frame selection={selection} />
      </SelectionContext.Provider>
    </ModelContext.Provider>
  );
}

function Frame({ selection: { task, view } }: { selection: Selection }) {
  const { status } = useModel();
  if (status.kind === "failed") return <Failure text={status.text} />;
  return (
    <>
      <Header />
      <Tabs />
      <div class={task === null ? "body" : "body with-detail"}>
        <main>
          <div id="view" role="tabpanel" aria-labelledby={`tab-${view}`}>
            <Part view={view} />
          </div>
        </main>
        {task !== null && <Detail id={task} />}
      </div>
    </>
  );
}

function Part({ view }: { view: View }) {
  switch (view) {
    case "timeline":
      return <TimelineView />;
    case "tasks":
      return <TasksView />;
    case "resources":
      return <ResourcesView />;
    case "blocks":
      return <BlocksView />;
    default:
      return <WarningsView />;
  }
}

function Failure({ text }: { text: string }) {
  return (
    <main class="failure">
      <h1>Nothing to show</h1>
      <p role="alert">{text}</p>
      <p>The page forgets its secret when it is loaded again: open the whole address that the command has printed.</p>
    </main>
  );
}
