// What is sent after the head: bytes that are there, or a source of them.

import { cancellable } from "meanwhile";

import { BodyStream, type UploadProgress } from "./body-stream.ts";
import { type ByteSource, sourceOfBlob, sourceOfBytes, sourceOfFile, sourceOfIterable } from "./byte-source.ts";
import { badArgument, notSent } from "./checks.ts";
import { compressed, type RequestCoding, checkCoding } from "./compression.ts";
import { HttpError, type RequestLine } from "./errors.ts";
import { FileBody } from "./file-body.ts";
import { isFormData, multipartOf } from "./multipart.ts";
import type { RequestOptions } from "./options.ts";
import { type Fields, mergeFields } from "./request-headers.ts";
import { Secret } from "./secret.ts";
import { encodeParams } from "./target.ts";

/** Text, bytes, or what yields them. */
export type BodyContent = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** A body as the caller gives it. A `ReadableStream` is an async iterable; of a file see {@link fileBody}. */
export type RequestBody = BodyContent | ArrayBuffer | Blob | FileBody | FormData | URLSearchParams;

/** A body as it goes with a request, however often that is sent. */
export interface Payload {
  readonly content: string | Uint8Array | ByteSource | null;
  /** The `Content-Type` it brings along. */
  readonly type?: string | undefined;
  /** The `Content-Encoding` it brings along. */
  readonly coding?: RequestCoding | undefined;
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
}

/** A body of one sending. */
export interface SentPayload {
  readonly content: string | Uint8Array | BodyStream | null;
}

export const NO_PAYLOAD: Payload = { content: null };

/** Given to the connection as a whole, a large body would show nothing of how far it is. */
const IN_PIECES_BYTES = 1024 * 1024;
const FORM_TYPE = "application/x-www-form-urlencoded;charset=UTF-8";
const TEXT_TYPE = "text/plain;charset=UTF-8";
const MASKED = String(new Secret(""));
const WAYS = ["json", "form", "multipart", "body"] as const;

/** Turns the body options of a request into what is sent. */
export function payloadOf(options: RequestOptions, request: RequestLine): Payload {
  const { compress, onUploadProgress: onProgress } = options;
  checkCoding(compress, request);
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw badArgument(request, "onUploadProgress", onProgress, "a function");
  }
  const given = WAYS.filter((way) => options[way] !== undefined);
  const [way] = given;
  if (given.length > 1)
    throw badArgument(request, "body", options.body, "only one of 'json', 'form', 'multipart' and 'body'");
  if (way === undefined) {
    if (compress !== undefined) throw badArgument(request, "compress", compress, "it only together with a body");
    return NO_PAYLOAD;
  }
  const payload = contentOf(way, options, request);
  if (compress === undefined) return onProgress === undefined ? payload : { ...payload, onProgress };
  const source = isSource(payload.content) ? payload.content : sourceOfBytes(Buffer.from(payload.content ?? ""));
  return { content: compressed(source, compress), type: payload.type, coding: compress, onProgress };
}

function contentOf(way: (typeof WAYS)[number], options: RequestOptions, request: RequestLine): Payload {
  const { json, form, multipart, body } = options;
  if (way === "json") return { content: encodeJson(json, request), type: "application/json" };
  if (way === "form" && form !== undefined) return { content: encodeParams(form, "form", request), type: FORM_TYPE };
  if (way === "multipart" && multipart !== undefined) return multipartOf(multipart, request);
  if (typeof body === "string") return { content: body, type: TEXT_TYPE };
  if (body instanceof Uint8Array) return { content: body };
  if (body instanceof ArrayBuffer) return { content: new Uint8Array(body) };
  if (body instanceof URLSearchParams) return { content: body.toString(), type: FORM_TYPE };
  if (body instanceof Blob) return { content: sourceOfBlob(body), type: body.type === "" ? undefined : body.type };
  if (body instanceof FileBody) return { content: sourceOfFile(body.path) };
  if (isFormData(body)) return multipartOf(body, request);
  if (typeof body?.[Symbol.asyncIterator] !== "function" || (body instanceof ReadableStream && body.locked)) {
    const wanted =
      "a string, a Uint8Array, an ArrayBuffer, a Blob, FormData, URLSearchParams, fileBody() or an unlocked async iterable";
    throw badArgument(request, "body", body, wanted);
  }
  return { content: sourceOfIterable(body) };
}

/** Whether the content is made while it is sent. */
export function isSource(content: Payload["content"]): content is ByteSource {
  return typeof content === "object" && content !== null && !(content instanceof Uint8Array);
}

/** Whether anything was taken of it that cannot be made again: it cannot be sent any more. */
export function isSpent({ content }: Payload): boolean {
  return isSource(content) && content.isSpent;
}

/**
 * Puts the header fields that a body brings along among those of its request, where they are missing, and throws if those
 * that are there do not fit.
 */
export function withPayloadFields(fields: Fields, payload: Payload, request: RequestLine): Fields {
  const { type, coding } = payload;
  checkLength(fields, payload, request);
  if (coding !== undefined && fields.has("content-encoding")) {
    throw badArgument(request, "compress", coding, "it only without a header field 'content-encoding'");
  }
  const missingType = fields.has("content-type") ? undefined : type;
  if (missingType === undefined && coding === undefined) return fields;
  const added = {
    ...(missingType === undefined ? {} : { "content-type": missingType }),
    ...(coding === undefined ? {} : { "content-encoding": coding }),
  };
  return mergeFields(fields, added, request);
}

/** Refuses a size that is not the one of the body. That of a stream or a file is looked at while it is sent. */
export function checkLength(fields: Fields, { content }: Payload, request: RequestLine): void {
  const given = fields.get("content-length");
  if (given === undefined) return;
  const [value = ""] = given;
  const size = isSource(content) ? content.size : Buffer.byteLength(content ?? "");
  if (given.length === 1 && /^\d{1,16}$/.test(value) && Number(value) === (size ?? Number(value))) return;
  const wanted = size === undefined ? "the number of bytes of the body" : `${size}, the number of bytes of the body`;
  throw badArgument(
    request,
    "headers.content-length",
    given.length === 1 ? Number(value) : given,
    `${wanted}, or leave it out`,
  );
}

/**
 * Makes a body ready to be sent, once. Only where a file has to be looked at, that takes a wait.
 *
 * Cancellation: safe.
 *
 * @throws {@link HttpError} `MW_ERR_HTTP_REQUEST_BODY` if a file cannot be sent
 */
export function startPayload(payload: Payload, request: RequestLine): SentPayload | Promise<SentPayload> {
  const { content, onProgress } = payload;
  if (!isSource(content)) {
    if (content === null || content.length === 0 || (onProgress === undefined && content.length < IN_PIECES_BYTES)) {
      return { content };
    }
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    return { content: new BodyStream(sourceOfBytes(bytes), { size: bytes.length, request, onProgress }) };
  }
  const start = (size: number | undefined): SentPayload =>
    size === 0 ? { content: "" } : { content: new BodyStream(content, { size, request, onProgress }) };
  const measured = content.measure();
  return measured instanceof Promise ? measuredFile(measured, request).then(start) : start(measured);
}

function measuredFile(size: Promise<number | undefined>, request: RequestLine): Promise<number | undefined> {
  const failed = (cause: unknown): never => {
    throw new HttpError("MW_ERR_HTTP_REQUEST_BODY", request, "a file of its body cannot be sent", { cause });
  };
  return cancellable(size.catch(failed));
}

// Its own type leaves out that there may be nothing to write.
const stringify: (value: unknown) => string | undefined = JSON.stringify;

class SecretInside extends Error {}

// The value it is given has been through toJSON() already.
function refuseSecret(this: Readonly<Record<string, unknown>>, key: string, value: unknown): unknown {
  if (this[key] instanceof Secret) throw new SecretInside();
  return value;
}

function encodeJson(json: unknown, request: RequestLine): string {
  let text: string | undefined;
  try {
    text = stringify(json);
    // Looked for only where it may be one: a replacer makes it several times as slow.
    if (text?.includes(MASKED) === true) JSON.stringify(json, refuseSecret);
  } catch (error) {
    if (error instanceof SecretInside) {
      throw badArgument(
        request,
        "json",
        json,
        "data without a Secret: what is to be sent is what its reveal() returns",
      );
    }
    // Its message would show what is in the value.
    text = undefined;
  }
  if (text !== undefined) return text;
  throw notSent(
    new HttpError(
      "MW_ERR_HTTP_INVALID_ARGUMENT",
      request,
      "'json' has no JSON form; pass data without cycles and bigints",
    ),
  );
}
