/** What is around each page: navigation, player, device, language and theme. */

import { h } from "../dom.js";
import { addressOf, keyOf } from "../place.js";
import { preferLanguage, switchTheme } from "../preferences.js";

const TABS = ["home", "library", "wishlist", "family"];

export function frame(app) {
  const { texts } = app;
  const main = h("main", { id: "main", tabindex: "-1", "aria-busy": "true" }, h("p", { class: "loading" }, texts.loading));
  const demo = h("section", { class: "demo", "aria-label": texts.demo });
  const away = h("div", { class: "away", role: "alert", hidden: true }, texts.offline);
  const tabs = TABS.map((page) => h("a", { href: `#/${page}`, "data-page": page }, texts[page]));
  const header = h(
    "header",
    { class: "bar" },
    h("a", { class: "brand", href: "#/home" }, h("span", { class: "logo", "aria-hidden": "true" }), "gameshelf"),
    h("nav", { "aria-label": texts.mainNavigation }, tabs),
    h("div", { class: "who" }, playerChoice(app), h("span", { class: "device" }, deviceName(app)), languageButton(app), themeButton(app)),
  );
  return {
    element: [h("a", { class: "skip", href: "#main", onclick: (event) => skip(event, main) }, texts.skip), header, demo, away, main],
    main,
    demo,
    /** Shows whether the service can be reached; returns whether it is back. */
    online(isOnline) {
      const isBack = isOnline && !away.hidden;
      if (isBack) app.toasts.show(texts.online);
      away.hidden = isOnline;
      return isBack;
    },
    update({ page }) {
      for (const tab of tabs) {
        const isHere = tab.dataset.page === page || (page === "game" && tab.dataset.page === "library");
        if (isHere) tab.setAttribute("aria-current", "page");
        else tab.removeAttribute("aria-current");
      }
    },
  };
}

/** The hash is the page's address, so that the link must not change it. */
function skip(event, main) {
  event.preventDefault();
  main.focus();
}

function playerChoice(app) {
  const { players } = app.config;
  const options = players.map((one) => h("option", { value: keyOf(one) }, one.name[app.language]));
  const change = (event) => {
    const chosen = players.find((one) => keyOf(one) === event.target.value);
    location.assign(addressOf(chosen, app.device));
  };
  return h("select", { "aria-label": app.texts.player, value: keyOf(app.player), onchange: change }, options);
}

function deviceName(app) {
  return [h("span", { class: "visually-hidden" }, `${app.texts.device}: `), app.texts[app.device]];
}

function languageButton(app) {
  const other = app.language === "ru" ? "en" : "ru";
  const click = () => preferLanguage(other);
  return h("button", { class: "quiet", lang: other, onclick: click }, app.texts.switchLanguage);
}

function themeButton(app) {
  return h("button", { class: "quiet icon", "aria-label": app.texts.switchTheme, title: app.texts.switchTheme, onclick: switchTheme }, "◐");
}
