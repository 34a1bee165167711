/** Bytes of saves: their hashes and parts. */
const SMALLEST_PART = 8 * 1024 * 1024;
const MOST_PARTS = 1_000;
/** Size of each part but the last one, as the service computes it; undefined for bytes that are sent by one request. */
export function partSize(size) {
    return size > SMALLEST_PART ? Math.max(SMALLEST_PART, Math.ceil(size / MOST_PARTS)) : undefined;
}
/** A browser has hashes only in pages that are served over TLS or from this machine. */
export async function sha256(bytes) {
    const data = bytes instanceof Blob ? await bytes.arrayBuffer() : bytes;
    const digest = await crypto.subtle.digest("SHA-256", data);
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
export function sizeOf(bytes) {
    return bytes instanceof Blob ? bytes.size : bytes.byteLength;
}
export function slice(bytes, from, size) {
    return bytes instanceof Blob ? bytes.slice(from, from + size) : bytes.subarray(from, from + size);
}
/** A file as the list of a set names it. */
export async function entryOf(path, bytes) {
    const size = sizeOf(bytes);
    const entry = { path, size_bytes: size, sha256: await sha256(bytes) };
    const part = partSize(size);
    if (part === undefined)
        return entry;
    const parts = [];
    for (let from = 0; from < size; from += part)
        parts.push(await sha256(slice(bytes, from, part)));
    return { ...entry, part_sha256: parts };
}
