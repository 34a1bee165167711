/** Settings of games: the generated calls, and changes that no other device's change is lost by. */
import { LibraryRefusal } from "../errors.js";
import { SettingsCalls } from "../generated/calls.js";
import { isSameJson, layerOf } from "./layers.js";
/** Other devices that change the same layer at the same time, one after the other. */
const MOST_CHANGES = 10;
export class Settings extends SettingsCalls {
    /**
     * Changes a layer. `change` gets its values, `{}` if there are none, and returns the new ones, or undefined to leave
     * them. If another device has changed the layer meanwhile, `change` is applied again to what that device has written.
     */
    async update(productId, change, layer = {}, options = {}) {
        for (let turn = 1;; turn += 1) {
            const current = await this.#current(productId, layer, options);
            const payload = change(structuredClone(current.payload));
            if (payload === undefined)
                return current.document;
            const condition = current.etag === undefined ? { ifNoneMatch: "*" } : { ifMatch: current.etag };
            try {
                return await this.putSettings(productId, { settings_payload: payload }, layer, { ...options, ...condition });
            }
            catch (error) {
                if (!(error instanceof LibraryRefusal) || error.status !== 412)
                    throw error;
                if (error.mayBeApplied) {
                    // The answer to an earlier try was lost. If that try was applied, the change is there already.
                    const written = await this.#current(productId, layer, options);
                    if (written.document && isSameJson(written.payload, payload))
                        return written.document;
                }
                if (turn === MOST_CHANGES)
                    throw error;
            }
        }
    }
    /** The layer that a request addresses, with the tag of its state; without one there are no settings at all. */
    async #current(productId, layer, options) {
        try {
            const document = await this.getSettings(productId, layer, options);
            const { settings_payload, settings_layers } = document.data.attributes;
            const kind = kindOf(layer);
            return { document, etag: document.response.etag, payload: layerOf(settings_payload, settings_layers, kind) };
        }
        catch (error) {
            if (!(error instanceof LibraryRefusal) || !(error.status === 404))
                throw error;
            return { document: undefined, etag: undefined, payload: {} };
        }
    }
}
/** A name without a value is none: the request then addresses the account's layer. */
function kindOf(layer) {
    if (layer.platform !== undefined && layer.platform !== null)
        return "platform";
    return layer.device_id !== undefined && layer.device_id !== null ? "device" : "account";
}
