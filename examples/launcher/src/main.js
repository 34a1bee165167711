/** Starts the launcher: its window, its pages, its live updates. */

import { App } from "./app.js";
import { preferredLanguage, preferredTheme } from "./preferences.js";
import { openSession } from "./session.js";
import { en } from "./texts/en.js";
import { ru } from "./texts/ru.js";

const language = preferredLanguage();
const texts = language === "ru" ? ru : en;
document.documentElement.lang = language;
const theme = preferredTheme();
if (theme) document.documentElement.dataset.theme = theme;

const app = new App(await openSession(language), language, texts, document.querySelector("#app"));
await app.start();
