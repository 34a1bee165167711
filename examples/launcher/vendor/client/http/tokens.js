/** The token of the user: asked for once, kept until it is refused, renewed once however many requests wait for it. */
export class TokenSource {
    #provider;
    #canRenew;
    #token;
    #asking;
    constructor(token) {
        this.#canRenew = typeof token !== "string";
        this.#provider = typeof token === "string" ? () => token : token;
    }
    /** The token for the next request. */
    current() {
        return this.#token === undefined ? this.#ask(false) : Promise.resolve(this.#token);
    }
    /**
     * A token other than the one that was refused; undefined if there is no other. A request that was refused after
     * another one has renewed the token gets that one, without asking again.
     */
    async renewed(refused) {
        if (!this.#canRenew)
            return undefined;
        const token = this.#token !== undefined && this.#token !== refused ? this.#token : await this.#ask(true);
        return token === refused ? undefined : token;
    }
    #ask(renew) {
        // A question that fails is not remembered: the next request asks again.
        this.#asking ??= Promise.resolve()
            .then(() => this.#provider(renew))
            .then((token) => {
            this.#token = token;
            return token;
        })
            .finally(() => {
            this.#asking = undefined;
        });
        return this.#asking;
    }
}
/** The `sub` of a JSON Web Token; undefined if it is none. Nothing is decided by it but whose stored answers are used. */
export function userOf(token) {
    const [, payload, signature] = token.split(".");
    if (!payload || !signature)
        return undefined;
    try {
        const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
        const claims = JSON.parse(new TextDecoder().decode(bytes));
        const user = typeof claims === "object" && claims !== null && "sub" in claims ? claims.sub : undefined;
        return typeof user === "string" ? user : undefined;
    }
    catch {
        return undefined;
    }
}
