// Validates an AsyncAPI document: `node asyncapi.js FILE`. Every finding, of whatever severity, is an error.
import { readFileSync } from "node:fs";
import { Parser } from "@asyncapi/parser";

const { document, diagnostics } = await new Parser().parse(readFileSync(process.argv[2], "utf-8"));
for (const { code, message, path, severity } of diagnostics) {
  console.error(`${["error", "warning", "info", "hint"][severity]} ${code} ${path.join(".")}: ${message}`);
}
if (document === undefined || diagnostics.length > 0) process.exit(1);
console.log(`asyncapi: ${document.channels().length} channels, ${document.allMessages().length} messages, 0 findings`);
