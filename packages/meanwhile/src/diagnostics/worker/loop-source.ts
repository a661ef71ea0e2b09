// Whether an await stands in a loop of which no round needs the one before: read from the source, as no parser is at hand.
// What is not understood counts as needed.

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Comments, texts, regular expressions, names, operators; the rest one by one. */
const TOKEN =
  /\/\/.*|\/\*[^]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[^])*`|[\w$]+|=>|\+\+|--|(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])=|[=!]==?|\?\.|&&|\|\||\?\?|\S/gu;
const NAME = /^[A-Za-z_$]/u;
const ASSIGNMENT = /^(?:=|(?:\*\*|<<|>>>?|&&|\|\||\?\?|[-+*/%&|^])=)$/u;

/** What ends a loop before its time. */
const ENDS = /^(?:break|return|yield|throw)$/u;

/** What makes a loop slow on purpose. */
const PACES = /^(?:sleep\w*|delay|wait\w*|acquire|setTimeout|checkpoint)$/u;

/** Looks at an `await` by its line and column, from 1. */
export function isInIndependentLoop(code: string, line: number, column: number): boolean {
  const tokens = tokensOf(code);
  const pairs = pairsOf(tokens);
  const at = offsetOf(code, line) + column - 1;
  const awaited = tokens.findIndex((token) => token.at === at && token.text === "await");
  const source: Source = { tokens, pairs };
  const loop = awaited === -1 || pairs === null ? null : loopAround(source, awaited);
  return loop !== null && isCounted(source, loop) && isIndependent(source, loop, awaited);
}

interface Source {
  readonly tokens: readonly Token[];
  /** Where the bracket is that belongs to each; null if they do not fit together. */
  readonly pairs: ReadonlyMap<number, number> | null;
}

/** By the indices of tokens; the ends are not inside. */
interface Loop {
  readonly head: readonly [from: number, to: number];
  readonly body: readonly [from: number, to: number];
}

function tokensOf(code: string): Token[] {
  return Array.from(code.matchAll(TOKEN), ({ 0: text, index }) => ({ text, at: index })).filter(
    ({ text }) => !text.startsWith("//") && !text.startsWith("/*"),
  );
}

function offsetOf(code: string, line: number): number {
  let at = 0;
  for (let i = 1; i < line; i++) at = code.indexOf("\n", at) + 1;
  return at;
}

const CLOSING: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };

function pairsOf(tokens: readonly Token[]): ReadonlyMap<number, number> | null {
  const pairs = new Map<number, number>();
  const open: number[] = [];
  for (const [index, { text }] of tokens.entries()) {
    if (text in CLOSING) open.push(index);
    else if (text === ")" || text === "]" || text === "}") {
      const from = open.pop();
      if (from === undefined || CLOSING[textAt(tokens, from)] !== text) return null;
      pairs.set(from, index).set(index, from);
    }
  }
  return open.length === 0 ? pairs : null;
}

const textAt = (tokens: readonly Token[], index: number): string => tokens[index]?.text ?? "";

/** The innermost loop around it in the same function; null if there is none, or one that asks again and again. */
function loopAround({ tokens, pairs }: Source, awaited: number): Loop | null {
  for (let at = awaited - 1, end = awaited; at >= 0; at--) {
    const text = textAt(tokens, at);
    const before = textAt(tokens, at - 1);
    if (text === ")" || text === "]" || text === "}") {
      const from = pairs?.get(at) ?? 0;
      const keyword = textAt(tokens, from - 1);
      // A head right before the statement or the block that was left: the block is its body.
      const isHead = text === ")" && at === end - 1;
      if (isHead && keyword === "for") return { head: [from + 1, at], body: bodyAfter({ tokens, pairs }, at) };
      if (isHead && !/^(?:if|switch|catch)$/u.test(keyword)) return null;
      if (isHead) end = from - 1;
      at = from;
    } else if (text === "=>" || (text === "{" && /^(?:=>|do)$/u.test(before))) return null;
    else if (text === "{") end = at;
    else if (text === "(" && before === "while") return null;
    else if (text === "else") end = at;
    // What stands before it is another statement.
    else if (text === ";") end = -1;
    else if (at === end - 1 && text !== "(" && text !== "[") end = at;
  }
  return null;
}

function bodyAfter({ tokens, pairs }: Source, head: number): [number, number] {
  const from = head + 1;
  if (textAt(tokens, from) === "{") return [from + 1, pairs?.get(from) ?? from];
  return [from, endOfExpression({ tokens, pairs }, from)];
}

/** Where an expression that begins there ends. */
function endOfExpression({ tokens, pairs }: Source, from: number): number {
  for (let at = from; at < tokens.length; at++) {
    const text = textAt(tokens, at);
    if (text in CLOSING) at = pairs?.get(at) ?? at;
    else if (/^[;,)\]}]$/u.test(text)) return at;
  }
  return tokens.length;
}

/** Whether the rounds are known before the first one. */
function isCounted({ tokens }: Source, { head: [from, to] }: Loop): boolean {
  const texts = tokens.slice(from, to).map(({ text }) => text);
  if (texts.includes("await")) return false;
  if (!texts.includes(";")) return texts.includes("of") || texts.includes("in");
  const update = texts.slice(texts.lastIndexOf(";") + 1);
  return texts.indexOf(";") + 1 < texts.lastIndexOf(";") && update.length === 2 && /\+\+|--/u.test(update.join(" "));
}

/** No round ends the loop, nor leaves anything behind that the await or a decision uses. */
function isIndependent(source: Source, { body: [from, to] }: Loop, awaited: number): boolean {
  const { tokens } = source;
  const texts = tokens.slice(from, to).map(({ text }) => text);
  if (texts.some((text) => ENDS.test(text) || PACES.test(text))) return false;
  const carried = carriedNames(source, from, to);
  if (carried.size === 0) return true;
  if (texts.some((text) => /^(?:if|switch|while|\?|&&|\|\||\?\?)$/u.test(text))) return false;
  const argument = tokens.slice(awaited + 1, endOfExpression(source, awaited + 1));
  return !argument.some(({ text }) => namesIn(text).some((name) => carried.has(name)));
}

/** Names that something is assigned to, and what is made of them; too many only cost a warning. */
function carriedNames(source: Source, from: number, to: number): Set<string> {
  const { tokens } = source;
  const carried = new Set<string>();
  for (let at = from; at < to; at++) {
    const text = textAt(tokens, at);
    const isChange = ASSIGNMENT.test(text) || text === "++" || text === "--";
    if (!isChange) continue;
    const names = [
      ...namesBefore(source, at, from),
      ...(text === "++" || text === "--" ? namesIn(textAt(tokens, at + 1)) : []),
    ];
    const isNew = names.some((name) => name === "const" || name === "let" || name === "var");
    const value = isNew ? tokens.slice(at + 1, endOfExpression(source, at + 1)) : [];
    const usesCarried = value.some((token) => namesIn(token.text).some((name) => carried.has(name)));
    if (!isNew || usesCarried) for (const name of names) carried.add(name);
  }
  return carried;
}

/** What stands before an assignment, back to the beginning of its statement. */
function namesBefore({ tokens, pairs }: Source, at: number, from: number): string[] {
  const names: string[] = [];
  for (let i = at - 1; i >= from; i--) {
    const text = textAt(tokens, i);
    if (/^[;{(,]$/u.test(text)) break;
    if (text === "}" || text === "]" || text === ")") {
      const open = pairs?.get(i) ?? i;
      for (const token of tokens.slice(open, i)) names.push(...namesIn(token.text));
      i = open;
    } else names.push(...namesIn(text));
    if (/^(?:const|let|var)$/u.test(text)) break;
  }
  return names;
}

/** Of a template also those inside of it. */
function namesIn(text: string): string[] {
  if (text.startsWith("`")) return text.match(/[A-Za-z_$][\w$]*/gu) ?? [];
  return NAME.test(text) ? [text] : [];
}
