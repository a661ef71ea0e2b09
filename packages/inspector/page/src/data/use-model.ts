// Draws a component anew when there is news of the program, but not more often than anybody can read.

import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

import type { Model } from "./model.ts";

const REDRAW_MS = 250;

/** The model of the page. */
export const ModelContext = createContext<Model | null>(null);

/** The model; the component is drawn again when it changes. */
export function useModel(): Model {
  const model = useContext(ModelContext);
  if (model === null) throw new TypeError("A component stands outside of the page");
  const [, redraw] = useState(0);
  useEffect(() => {
    let timer: number | null = null;
    const unsubscribe = model.subscribe(() => {
      timer ??= window.setTimeout(() => {
        timer = null;
        redraw((count) => count + 1);
      }, REDRAW_MS);
    });
    return () => {
      unsubscribe();
      if (timer !== null) window.clearTimeout(timer);
    };
  }, [model]);
  return model;
}
