/** Says what everything runs on. Its first use in a fresh clone is the set-up itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const { version } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "apps", "orchestrator", "package.json"), "utf8"),
) as { version: string };
console.log(`orchestrator ${version}, Node ${process.versions.node}, ${process.platform} ${process.arch}`);
