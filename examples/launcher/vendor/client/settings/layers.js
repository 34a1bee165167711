/** Layers of settings. Plain values, no I/O. */
/**
 * The values of one layer in a merged payload. `layers` has the shape of the payload and names the layer of each value;
 * where all values below a key come from one layer, it has that name in place of them.
 *
 * A value of the layer that a higher one hides is not in a merged payload: only the highest layer of a request can be
 * written back, and that is the one that a request with `platform` or `device_id` addresses.
 */
export function layerOf(payload, layers, kind) {
    const values = {};
    for (const [key, value] of Object.entries(payload)) {
        const layer = layers[key];
        if (layer === kind)
            values[key] = value;
        else if (isObject(layer) && isObject(value)) {
            const inner = layerOf(value, layer, kind);
            if (Object.keys(inner).length > 0)
                values[key] = inner;
        }
    }
    return values;
}
/** Whether two values are the same JSON, whatever the order of their keys. */
export function isSameJson(one, other) {
    if (Array.isArray(one) && Array.isArray(other)) {
        return one.length === other.length && one.every((value, index) => isSameJson(value, other[index]));
    }
    if (!isObject(one) || !isObject(other))
        return one === other;
    const keys = Object.keys(one);
    return (keys.length === Object.keys(other).length &&
        keys.every((key) => Object.hasOwn(other, key) && isSameJson(one[key], other[key])));
}
function isObject(value) {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
