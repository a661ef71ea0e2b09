// multipart/form-data: a form with files, each part streamed. Nothing in a name can end its line or its quotes.

import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";

import { type ByteSource, sourceOfBlob, sourceOfBytes, sourceOfFile, sourceOfIterable } from "./byte-source.ts";
import { badArgument } from "./checks.ts";
import type { RequestLine } from "./errors.ts";
import { checkPath, FileBody } from "./file-body.ts";
import type { BodyContent, Payload } from "./request-body.ts";
import { type Fields, flatten, type HeadersInput, mergeFields, NO_FIELDS } from "./request-headers.ts";

/** A part of a form that has more to it than its text. */
export interface FilePart {
  /** What is in it. `{ path }` is a file, opened when its turn comes; an async iterable can be sent only once. */
  readonly content: BodyContent | Blob | FileBody | { readonly path: string | URL };
  /** The name of the file. Default: the one of a `File` or the last part of a path, or else none. */
  readonly filename?: string | undefined;
  /** Its `Content-Type`. Default: that of a `Blob`; else `application/octet-stream`, and none for text without a file name. */
  readonly type?: string | undefined;
  /** More header fields of the part. */
  readonly headers?: HeadersInput | undefined;
}

/** The value of a field of a form: text, or a file. */
export type MultipartValue = string | number | bigint | boolean | Blob | FileBody | FilePart | undefined;

/** A form: a standard `FormData`, or names with values. A list gives its name several times; undefined is left out. */
export type MultipartInput =
  | FormData
  | Readonly<Record<string, MultipartValue | ReadonlyArray<MultipartValue>>>
  | ReadonlyArray<readonly [string, MultipartValue]>
  // An interface has no index signature, so that it fits into no Record. What is in it is checked by the call.
  | object;

interface Part {
  readonly head: Buffer;
  readonly content: ByteSource;
}

/** 18 bytes: nobody can write a part that guesses it. */
const BOUNDARY_BYTES = 18;
const CRLF = Buffer.from("\r\n");
const WANTED = "text, a number, a boolean, a Blob, fileBody() or a part like { content, filename }";

/** Whether it is a `FormData`, of Node or of a package that has its own. */
export function isFormData(value: unknown): value is FormData {
  return Object.prototype.toString.call(value) === "[object FormData]";
}

/**
 * Turns a form into a body.
 *
 * @see {@link https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data}
 */
export function multipartOf(input: MultipartInput, request: RequestLine): Payload {
  if (typeof input !== "object" || input === null) {
    throw badArgument(request, "multipart", input, "FormData, an object or a list of pairs");
  }
  const boundary = `----meanwhile${randomBytes(BOUNDARY_BYTES).toString("hex")}`;
  const parts: Part[] = [];
  for (const [name, values] of entriesOf(input)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value !== undefined) parts.push(partOf(name, value, boundary, request));
    }
  }
  return { content: joined(parts, boundary), type: `multipart/form-data; boundary=${boundary}` };
}

function entriesOf(input: MultipartInput): Iterable<readonly [string, unknown]> {
  if (isFormData(input)) return formDataEntries(input);
  return Array.isArray(input) ? input : Object.entries(input);
}

function* formDataEntries(form: FormData): Generator<[string, unknown], void> {
  // Ends of lines in text are CR LF, as the standard has it for its own form.
  for (const [name, value] of form) yield [name, typeof value === "string" ? withCrlf(value) : value];
}

function partOf(name: unknown, value: unknown, boundary: string, request: RequestLine): Part {
  if (typeof name !== "string") throw badArgument(request, "multipart", name, "names that are strings");
  const part = filePartOf(name, value, request);
  const source = contentOf(name, part, request);
  const isText = typeof part.content === "string" && part.filename === undefined;
  const filename = part.filename ?? fileNameOf(part.content);
  const type = part.type ?? (isText ? undefined : typeOf(part.content));
  let fields = mergeFields(NO_FIELDS, part.headers, request);
  if (fields.has("content-disposition") || (fields.has("content-type") && part.type !== undefined)) {
    throw badArgument(
      request,
      `multipart.${name}.headers`,
      part.headers,
      "what is not said by its name, filename and type",
    );
  }
  if (type !== undefined && !fields.has("content-type"))
    fields = mergeFields(fields, { "content-type": type }, request);
  const file = filename === undefined ? "" : `; filename="${escapeName(filename, "filename", request)}"`;
  const disposition = `form-data; name="${escapeName(withCrlf(name), "name", request)}"${file}`;
  return { head: headOf(boundary, disposition, fields), content: source };
}

function filePartOf(name: string, value: unknown, request: RequestLine): FilePart {
  if (typeof value === "string") return { content: value };
  if (typeof value === "number" || typeof value === "bigint" || typeof value === "boolean") {
    return { content: String(value) };
  }
  if (value instanceof Blob || value instanceof FileBody) return { content: value };
  if (typeof value === "object" && value !== null && "content" in value) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what it holds is checked here and in contentOf()
    const part = value as Partial<FilePart>;
    for (const option of ["filename", "type"] as const) {
      if (part[option] === undefined || typeof part[option] === "string") continue;
      throw badArgument(request, `multipart.${name}.${option}`, part[option], "a string");
    }
    if (part.content !== undefined) return { ...part, content: part.content };
  }
  throw badArgument(request, `multipart.${name}`, value, WANTED);
}

function contentOf(name: string, { content }: FilePart, request: RequestLine): ByteSource {
  if (typeof content === "string") return sourceOfBytes(Buffer.from(content));
  if (content instanceof Uint8Array) return sourceOfBytes(content);
  if (content instanceof Blob) return sourceOfBlob(content);
  if (typeof content === "object" && content !== null) {
    if ("path" in content) return sourceOfFile(checkPath(content.path, `multipart.${name}.content.path`, request));
    if (typeof content[Symbol.asyncIterator] === "function") return sourceOfIterable(content);
  }
  throw badArgument(
    request,
    `multipart.${name}.content`,
    content,
    "a string, a Uint8Array, a Blob, an async iterable of chunks or { path }",
  );
}

function fileNameOf(content: FilePart["content"]): string | undefined {
  if (content instanceof File) return content.name;
  // As the standard names a blob that has no name.
  if (content instanceof Blob) return "blob";
  if (typeof content !== "object" || content === null || !("path" in content)) return undefined;
  const { path } = content;
  return basename(path instanceof URL ? fileURLToPath(path) : path);
}

function typeOf(content: FilePart["content"]): string {
  return content instanceof Blob && content.type !== "" ? content.type : "application/octet-stream";
}

function headOf(boundary: string, disposition: string, fields: Fields): Buffer {
  let head = `--${boundary}\r\nContent-Disposition: ${disposition}\r\n`;
  const flat = flatten(fields);
  for (let index = 0; index < flat.length; index += 2) {
    const name = flat[index] ?? "";
    head += `${name === "content-type" ? "Content-Type" : name}: ${flat[index + 1] ?? ""}\r\n`;
  }
  return Buffer.from(`${head}\r\n`);
}

function withCrlf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, "\r\n");
}

// Beside the controls, what some parsers take for the end of a line.
// oxlint-disable-next-line no-control-regex
const REFUSED = /[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029]/;
const ESCAPES: Readonly<Record<string, string>> = { '"': "%22", "\r": "%0D", "\n": "%0A" };

/** Escapes a name or a file name as the standard does. */
function escapeName(text: string, what: "name" | "filename", request: RequestLine): string {
  if (REFUSED.test(text)) {
    throw badArgument(request, `multipart.${what}`, text, `a ${what} without control characters`);
  }
  return text.replace(/["\r\n]/g, (character) => ESCAPES[character] ?? "");
}

/** One source of all parts. It is spent when any of them is. */
function joined(parts: ReadonlyArray<Part>, boundary: string): ByteSource {
  const end = Buffer.from(`--${boundary}--\r\n`);
  return {
    get isSpent() {
      return parts.some(({ content }) => content.isSpent);
    },
    measure: async () => {
      let total: number | undefined = end.length;
      for (const { head, content } of parts) {
        // Each is asked, also when the sum is unknown already: a file may be missing.
        const size = await content.measure();
        total = size === undefined || total === undefined ? undefined : total + head.length + size + CRLF.length;
      }
      return total;
    },
    open: () => bytesOf(parts, end),
  };
}

async function* bytesOf(parts: ReadonlyArray<Part>, end: Buffer): AsyncGenerator<string | Uint8Array, void> {
  for (const { head, content } of parts) {
    yield head;
    yield* content.open();
    yield CRLF;
  }
  yield end;
}
