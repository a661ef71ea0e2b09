// The colours of the canvases: those of the screen, whenever they change.

import { DARK, LIGHT, type Palette } from "../../../src/timeline/palette.ts";

const isDark = matchMedia("(prefers-color-scheme: dark)");

/** The colours that fit now. */
export function currentPalette(): Palette {
  return isDark.matches ? DARK : LIGHT;
}

/** Calls back when they change. Returns what ends it. */
export function onThemeChange(listener: () => void): () => void {
  isDark.addEventListener("change", listener);
  return () => isDark.removeEventListener("change", listener);
}
