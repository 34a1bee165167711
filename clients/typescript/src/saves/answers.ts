/** Reads an answer of the object store. Plain values, no I/O. */

/** What follows: nothing, the same request again, one with a fresh signature, or the end. */
export type StoreMeaning = "done" | "again" | "sign" | "refused";

/** Codes of S3 for which its 400 is not the end: the request was fine, and its signature, or its way, was not. */
const BAD_REQUESTS: Readonly<Record<string, StoreMeaning>> = {
  RequestTimeout: "again",
  ExpiredToken: "sign",
  InvalidToken: "sign",
  // The bytes can't have changed here: something on the way has damaged them.
  BadDigest: "sign",
  IncompleteBody: "sign",
  InvalidDigest: "sign",
  XAmzContentSHA256Mismatch: "sign",
};

/** The code in the XML of a refusal; an empty text if there is none, as in the page of a proxy. */
export function codeOf(body: string): string {
  return /<Code>(\w+)<\/Code>/.exec(body)?.[1] ?? "";
}

export function storeMeaning(status: number, code: string): StoreMeaning {
  if (status >= 200 && status < 300) return "done";
  if (status === 408 || status === 429 || status >= 500) return "again";
  if (code === "QuotaExceeded") return "refused";
  if (status === 400) return BAD_REQUESTS[code] ?? "refused";
  // 404 is also what parts of an upload get that was aborted: the service begins another one.
  return status === 401 || status === 403 || status === 404 ? "sign" : "refused";
}
