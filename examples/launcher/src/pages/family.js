/** Family sharing: who shares with whom, who plays which copy, and the shared games. */

import { h } from "../dom.js";
import { draftChoice, dropDraft } from "../drafts.js";
import { badge, cover, empty, gameCard, section } from "../parts/card.js";

const ENDED = new Set(["revoked_by_owner", "declined_by_user", "revoked_by_admin"]);

export const family = {
  title: (app) => app.texts.family,

  async load({ client, deviceId }) {
    const [links, seats, shared] = await Promise.all([
      client.family.listLinks().all(),
      client.family.listSeats(),
      client.library.listItems({ shared: "only", device_id: deviceId, include: ["achievements", "saves", "playtime"] }).all(),
    ]);
    return { links, seats: seats.data, shared };
  },

  render(app, { links, seats, shared }) {
    const { texts } = app;
    return [
      h("h1", {}, texts.family),
      section(texts.links, inviteForm(app, links), links.length > 0 ? h("ul", { class: "list" }, links.map((one) => link(app, one))) : empty(texts.noLinks)),
      section(texts.seats, seats.length > 0 ? h("ul", { class: "list" }, seats.map((one) => seat(app, one))) : empty(texts.noSeats)),
      shared.length > 0 && section(texts.sharedGames, h("div", { class: "grid" }, shared.map((item) => gameCard(app, item)))),
    ];
  },
};

function inviteForm(app, links) {
  const { texts, client, config, player, language } = app;
  const invited = new Set(links.filter(({ attributes }) => attributes.direction === "owner" && !ENDED.has(attributes.status)).map(({ attributes }) => attributes.shared_with_user_id));
  const others = config.players.filter((one) => one.user_id !== player.user_id && !invited.has(one.user_id));
  if (others.length === 0) return null;
  const submit = app.act(async (event) => {
    const chosen = event.target.elements.user.value;
    await client.family.inviteMember({ shared_with_user_id: chosen });
    dropDraft(app.state, "invite-user", chosen);
  });
  return h("form", { class: "tools", "data-key": "invite-form", onsubmit: submit },
    h("label", { class: "field" }, texts.inviteWhom, h("select", { name: "user", ...draftChoice(app.state, "invite-user", others.map((one) => one.user_id)) }, others.map((one) => h("option", { value: one.user_id }, one.name[language])))),
    h("button", { class: "primary", "data-key": "invite" }, texts.invite));
}

function link(app, { id, attributes }) {
  const { texts, client } = app;
  const isOwner = attributes.direction === "owner";
  const name = app.nameOf(isOwner ? attributes.shared_with_user_id : attributes.owner_user_id) ?? texts.unknownPlayer;
  const kinds = { active: "good", pending_approval: "info" };
  const button = (label, method, className = "") => h("button", { class: className, "data-key": `${method}-${id}`, "aria-label": `${label}: ${name}`, onclick: app.act(() => client.family[method](id)) }, label);
  return h("li", {}, h("span", { class: "avatar", "aria-hidden": "true" }, name[0]),
    h("span", { class: "grow" }, h("strong", {}, isOwner ? texts.youShareWith(name) : texts.sharesWithYou(name)), " ", badge(texts.linkStatus[attributes.status], kinds[attributes.status])),
    !isOwner && attributes.status === "pending_approval" ? [button(texts.accept, "acceptLink", "primary"), button(texts.decline, "declineLink")] : null,
    attributes.status === "active" || (isOwner && attributes.status === "pending_approval") ? button(texts.revoke, "revokeLink") : null);
}

function seat(app, { attributes }) {
  const { texts, format } = app;
  const name = app.nameOf(attributes.held_by_user_id) ?? texts.unknownPlayer;
  return h("li", {}, cover(attributes.cover_image_url, "thumb"),
    h("span", { class: "grow" }, h("strong", {}, texts.plays(name, attributes.title ?? app.titleOf(attributes.product_id))), h("br"),
      h("span", { class: "facts" }, format.ago(attributes.since), attributes.lost_at ? ` · ${texts.seatEnds(format.ago(attributes.lost_at))}` : "")));
}
