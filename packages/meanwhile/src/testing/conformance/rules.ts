// What all conformance kits share: rules with names, tried under many schedules.

import { TestError } from "../../errors.ts";
import { currentScopeNode } from "../../lowlevel.ts";
import { badArgument } from "../../util/arguments.ts";
import { show } from "../../util/show.ts";
import { MockClock } from "../mock-clock.ts";
import { activeResources } from "../resources.ts";
import { runDirected } from "../run-test.ts";
import { seedsToUse, withSeed } from "../seeds.ts";
import { type SequentialSpec, tryProgram } from "../sequential.ts";
import { TestDirector } from "../test-director.ts";
import { checkCount, checkTestOptions, type TestOptions } from "../test-options.ts";
import { onStage, type Stage } from "./stage.ts";

/** Options of the conformance kits. */
export interface ConformanceOptions extends TestOptions {
  /** How many schedules each rule is tried under; an integer >= 1. Default: 100. */
  readonly schedules?: number | undefined;
  /** The seed of the first schedule; each one after it takes the next integer. Default: 1. */
  readonly seed?: number | undefined;
}

/** What a conformance kit has checked. */
export interface ConformanceReport {
  /** The rules that hold. */
  readonly rules: readonly string[];
  /** How many times rules were tried. */
  readonly runs: number;
}

/** Something that every implementation of a primitive has to keep. */
export interface Rule {
  /** Says what is right: `serves waiters in the order they asked`. */
  readonly name: string;
  /** Throws if the rule is broken. Makes a new primitive each time. */
  readonly check: (stage: Stage, seed: number) => Promise<void>;
}

/** Names rules that are each played on a subject of its own. */
export function rulesOn<Subject>(
  make: (stage: Stage) => Subject,
): (name: string, play: (subject: Subject) => Promise<void>) => Rule {
  return (name, play) => ({ name, check: (stage) => play(make(stage)) });
}

/** Three actors with three calls each show nearly everything that more of them would. */
const ACTORS = 3;
const CALLS_EACH = 3;

/** How many random programs are tried under each schedule: few of them hit what is wrong. */
const PROGRAMS = 4;

/** The rule that a model explains what the calls of a few actors return. */
export function sequentialRule<Subject, State, Call>(
  specOf: (seed: number) => SequentialSpec<Subject, State, Call>,
): Rule {
  return {
    name: "behaves as if calls came one after the other",
    check: async ({ quiet }, seed) => {
      const size = { actors: ACTORS, callsEach: CALLS_EACH };
      for (let i = 0; i < PROGRAMS; i++) await tryProgram(specOf(seed), size, PROGRAMS * seed + i, quiet);
    },
  };
}

/** A kit, for what it is given. */
export interface Kit<Create> {
  /** The function that was called. */
  readonly name: string;
  /** What is checked: `lock`. */
  readonly what: string;
  /** The options of the function that other kits do not have. */
  readonly options?: readonly string[];
  /** Makes what is checked. */
  readonly create: Create;
  /** What `create` has to keep. */
  readonly rulesOf: (create: Create) => readonly Rule[];
}

/** Tries each rule under each schedule; throws the first violation. */
export async function checkRules<Create>(kit: Kit<Create>, options: ConformanceOptions): Promise<ConformanceReport> {
  const { name, what, create } = kit;
  const act = `check a ${what}`;
  checkTestOptions({ name, act, options: ["schedules", "seed", ...(kit.options ?? [])] }, options);
  if (typeof create !== "function") throw badArgument(act, "create", create, `a function that makes a new ${what}`);
  const { schedules = 100, seed: first = 1 } = options;
  checkCount(act, "schedules", schedules);
  const seeds = seedsToUse(act, first, schedules);
  const rules = kit.rulesOf(create);
  // Inside of the first run, which may have a timer of its own; later the primitives may have left some.
  let usual: readonly string[] | null = null;
  const play = (rule: Rule, seed: number): Promise<void> => {
    usual ??= activeResources();
    return onStage((stage) => rule.check(stage, seed), usual);
  };
  const tryOne = (rule: Rule, seed: number): Promise<void> =>
    tryRule(what, { name: rule.name, play: () => play(rule, seed) }, options, seed);
  for (const rule of rules) for (const seed of seeds) await tryOne(rule, seed);
  return { rules: [...new Set(rules.map((rule) => rule.name))], runs: rules.length * seeds.length };
}

interface PlayedRule {
  readonly name: string;
  readonly play: () => Promise<void>;
}

async function tryRule(what: string, rule: PlayedRule, options: TestOptions, seed: number): Promise<void> {
  const direction = { clock: new MockClock(), director: new TestDirector(seed), onEvent: null };
  try {
    await runDirected(rule.play, options, direction);
  } catch (error) {
    // Somebody cancels the whole check.
    if (currentScopeNode().effective !== null) throw error;
    throw withSeed(violation(what, rule.name, seed, error), seed);
  }
}

function violation(what: string, rule: string, seed: number, cause: unknown): TestError {
  const why = cause instanceof Error ? cause.message : show(cause);
  const error = new TestError(
    "MW_ERR_RULE_BROKEN",
    `Cannot accept this ${what}: it breaks the rule "${rule}" under seed ${seed}: ${why}`,
    { cause },
  );
  return Object.assign(error, { rule });
}
