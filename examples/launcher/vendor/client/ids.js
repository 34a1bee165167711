/** Random ids. */
/** A UUID of version 4. `crypto.randomUUID` is missing in pages that are not served over TLS. */
export function newId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const hex = [...bytes].map((byte, index) => {
        const value = index === 6 ? (byte & 0x0f) | 0x40 : index === 8 ? (byte & 0x3f) | 0x80 : byte;
        return value.toString(16).padStart(2, "0");
    });
    return [
        [0, 4],
        [4, 6],
        [6, 8],
        [8, 10],
        [10, 16],
    ]
        .map(([from, to]) => hex.slice(from, to).join(""))
        .join("-");
}
