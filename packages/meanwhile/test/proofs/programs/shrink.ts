// Makes a program that fails smaller, as long as it still fails.

import { type Body, type Program, type Shape, SHAPES, sizeOf, type Statement } from "./statements.ts";

/** How many programs are tried at most. */
const MOST_TRIES = 2_000;

/** The smallest program found that still `fails`: leaving out anything more, alone, would mend it. */
export async function smaller(program: Program, fails: (candidate: Program) => Promise<boolean>): Promise<Program> {
  let smallest = program;
  let tries = 0;
  for (let found = true; found;) {
    found = false;
    for (const main of smallerBodies(smallest.main)) {
      tries += 1;
      if (tries > MOST_TRIES) return smallest;
      const candidate = { ...smallest, main };
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      found = true;
      break;
    }
  }
  return smallest;
}

/** Every body with one thing less, the largest steps first. */
function* smallerBodies(body: Body): Generator<Body> {
  const places = body.map((_, at) => at).toSorted((a, b) => sizeAt(body, b) - sizeAt(body, a));
  for (const at of places) yield body.toSpliced(at, 1);
  for (const at of places) for (const inner of body[at]?.bodies ?? []) yield body.toSpliced(at, 1, ...inner);
  for (const at of places) {
    for (const statement of smallerStatements(body[at] as Statement)) yield body.with(at, statement);
  }
}

function sizeAt(body: Body, at: number): number {
  return sizeOf(body.slice(at, at + 1));
}

function* smallerStatements(statement: Statement): Generator<Statement> {
  const { kind, bodies, numbers } = statement;
  const [least]: Shape["bodies"] = SHAPES[kind].bodies;
  if (bodies.length > least) {
    for (const at of bodies.keys()) yield { ...statement, bodies: bodies.toSpliced(at, 1) };
  }
  for (const [at, body] of bodies.entries()) {
    for (const smallerBody of smallerBodies(body)) yield { ...statement, bodies: bodies.with(at, smallerBody) };
  }
  for (const [at, number] of numbers.entries()) {
    if (number > 1) yield { ...statement, numbers: numbers.with(at, 1) };
    if (number > 0) yield { ...statement, numbers: numbers.with(at, 0) };
  }
}
