/** What a window remembers: language and theme. */

export function preferredLanguage() {
  const chosen = localStorage.getItem("gameshelf:language");
  return (chosen ?? navigator.language).startsWith("ru") ? "ru" : "en";
}

export function preferLanguage(language) {
  localStorage.setItem("gameshelf:language", language);
  location.reload();
}

/** The chosen theme; undefined for that of the system. */
export function preferredTheme() {
  return localStorage.getItem("gameshelf:theme") ?? undefined;
}

export function switchTheme() {
  const { dataset } = document.documentElement;
  const isDark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = isDark ? "light" : "dark";
  localStorage.setItem("gameshelf:theme", dataset.theme);
}
