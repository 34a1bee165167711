/** What no waiting makes right is an error at once, and no network that has failed. `fetch` throws the same for both. */
/**
 * The address of the service without the path of its API. In a page it may begin with `/`: then it is one of the page's
 * own host.
 */
export function baseUrlOf(address) {
    const url = urlOf(address);
    // The address is in no message then: messages are logged.
    if (url?.username || url?.password)
        throw new TypeError("the address has a user or a password, which are not sent");
    if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
        const text = JSON.stringify(address);
        throw new TypeError(`${text} is no address of a service: it begins with https:// or http://, and has no ? or #`);
    }
    return `${url.origin}${url.pathname}`.replace(/(\/api\/v1\/library)?\/*$/, "");
}
function urlOf(address) {
    try {
        // Only pages have a location.
        return new URL(address, address.startsWith("/") ? globalThis.location?.href : undefined);
    }
    catch {
        return undefined;
    }
}
/** Headers without those that are undefined. Throws for a text that no header can have. */
export function headersOf(headers) {
    const found = {};
    for (const [name, value] of Object.entries(headers)) {
        if (value === undefined)
            continue;
        if (!/^[\x20-\x7e]*$/.test(value)) {
            throw new TypeError(`${name} has other than printable ASCII characters: ${JSON.stringify(value)}`);
        }
        found[name] = value;
    }
    return found;
}
/** The place of a message in the stream, or undefined for none, as a store gives it that has kept none yet. */
export function cursorOf(cursor) {
    if (cursor === undefined || cursor === null)
        return undefined;
    if (!/^\d+$/.test(cursor))
        throw new TypeError(`${JSON.stringify(cursor)} is no cursor: that is the id of a message`);
    return cursor;
}
