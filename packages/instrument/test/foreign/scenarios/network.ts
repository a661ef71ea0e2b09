// `fetch` of Node, and its older sister.

import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { setImmediate as turn } from "node:timers/promises";

import type { Activity } from "../activity.ts";
import type { Scenario } from "../driver.ts";

/** A request that is given up when it is left, in whatever way. */
async function withRequest<T>(
  around: Activity,
  url: string,
  use: (response: Response, me: Activity) => Promise<T>,
): Promise<T> {
  const me = around.begins(`request of ${new URL(url).pathname}`);
  const controller = new AbortController();
  try {
    return await use(await fetch(url, { signal: controller.signal }), me);
  } finally {
    me.cleansUp();
    controller.abort();
    await turn();
    me.ends();
  }
}

async function textOf(around: Activity, url: string): Promise<string> {
  return withRequest(around, url, async (response) => await response.text());
}

async function parts(around: Activity, response: Response, atMost: number): Promise<number> {
  const me = around.begins("reader of the body");
  let count = 0;
  try {
    for await (const part of response.body ?? []) {
      if (part.length > 0) count += 1;
      if (count === atMost) break;
      await turn();
    }
    return count;
  } finally {
    me.cleansUp();
    await turn();
    me.ends();
  }
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  "the text of an answer": { run: ({ root, place }) => textOf(root, `${place.url}/text`) },
  "several answers at once": {
    run: async ({ root, place }) => {
      const me = root.begins("several");
      try {
        return await Promise.all([textOf(me, `${place.url}/text`), textOf(me, `${place.url}/text`)]);
      } finally {
        me.cleansUp();
        me.ends();
      }
    },
  },
  "the parts of an answer": {
    run: ({ root, place }) =>
      withRequest(root, `${place.url}/text`, async (response, me) => (await parts(me, response, 100)) > 0),
  },
  "the first parts of an endless answer": {
    run: ({ root, place }) => withRequest(root, `${place.url}/endless`, (response, me) => parts(me, response, 2)),
  },
  "an endless answer that nobody gives up but the loop": {
    mayLose: 1, // cancelled before the loop has begun
    run: async ({ root, place }) => await parts(root, await fetch(`${place.url}/endless`), 2),
  },
  "an answer that does not come": {
    isEndless: true,
    run: ({ root, place }) => textOf(root, `${place.url}/hangs`),
  },
  "a race for an answer with one that does not come": {
    run: async ({ root, place }) => {
      const me = root.begins("race");
      const controller = new AbortController();
      const ask = async (path: string): Promise<string> => {
        const asking = me.begins(path, { mayOutlive: true });
        try {
          return await (await fetch(`${place.url}${path}`, { signal: controller.signal })).text();
        } finally {
          asking.cleansUp();
          asking.ends();
        }
      };
      try {
        return await Promise.race([ask("/hangs"), ask("/text")]);
      } finally {
        me.cleansUp();
        controller.abort();
        me.ends();
      }
    },
  },
  "http.get and its events": {
    run: async ({ root, place }) => {
      const me = root.begins("http.get");
      const request = get(`${place.url}/text`, { agent: false });
      try {
        const [response] = (await once(request, "response")) as [IncomingMessage];
        let text = "";
        for await (const part of response.setEncoding("utf8")) text += String(part);
        return text;
      } finally {
        me.cleansUp();
        // What it tells of its end, nobody wants to know.
        request.on("error", () => {}).destroy();
        await turn();
        me.ends();
      }
    },
  },
};
