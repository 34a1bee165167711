/** Numbers and times as people read them. Plain values, no I/O. */

/** What a language writes: `formats("ru").duration(5400)`. */
export function formats(language) {
  const locale = language === "ru" ? "ru-RU" : "en-GB";
  const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const unit = (value, name, unitDisplay = "short") =>
    new Intl.NumberFormat(locale, { style: "unit", unit: name, unitDisplay, maximumFractionDigits: 1 }).format(value);
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 1 });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  return {
    number: (value) => number.format(value),
    percent: (value) => percent.format(value / 100),
    /** Hours from one hour on, else minutes. */
    duration(seconds) {
      return seconds >= 3600 ? unit(seconds / 3600, "hour") : unit(Math.round(seconds / 60), "minute");
    },
    bytes(count) {
      const steps = ["byte", "kilobyte", "megabyte", "gigabyte"];
      const step = count < 1 ? 0 : Math.min(Math.floor(Math.log(count) / Math.log(1024)), steps.length - 1);
      // The short form of a byte has no plural in English.
      return unit(count / 1024 ** step, steps[step], step === 0 ? "long" : "short");
    },
    money(minor, currency) {
      const style = { style: "currency", currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: minor % 100 ? 2 : 0 };
      return new Intl.NumberFormat(locale, style).format(minor / 100);
    },
    /** How long ago, or in how long, in the largest unit that fits. */
    ago(time, now = Date.now()) {
      const seconds = (Date.parse(time) - now) / 1000;
      const size = Math.abs(seconds);
      if (size < 60) return relative.format(0, "second");
      if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
      if (size < 86400) return relative.format(Math.round(seconds / 3600), "hour");
      if (size < 86400 * 45) return relative.format(Math.round(seconds / 86400), "day");
      return new Intl.DateTimeFormat(locale, { dateStyle: "medium" }).format(new Date(time));
    },
    clock(seconds) {
      const whole = Math.max(0, Math.floor(seconds));
      const rest = String(whole % 60).padStart(2, "0");
      const minutes = Math.floor(whole / 60);
      return minutes < 60
        ? `${minutes}:${rest}`
        : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
    },
  };
}
