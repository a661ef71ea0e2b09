// The page: takes the secret out of the address, and shows what the viewer tells.

import "./style.css";
import { render } from "preact";

import { App } from "./app.tsx";
import { takeToken } from "./data/client.ts";
import { Model } from "./data/model.ts";

const root = document.querySelector("#app");
if (root !== null) {
  const model = new Model(takeToken());
  render(<App model={model} />, root);
  model.start();
}
