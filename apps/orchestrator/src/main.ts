#!/usr/bin/env node
import * as modules from "node:module";
import { join } from "node:path";
import { homeDirectory, isDirectory } from "./home.ts";

// Compiled code is kept, which makes every start but the first three times faster; in a directory of the user's own, since
// whoever may write there decides what runs. It has to be said before anything else is loaded, so this file loads the rest
// late. Where it cannot be (Deno has a cache of its own, a home may not be there), everything works all the same.
const home = homeDirectory();
if (home !== undefined && isDirectory(home)) {
  modules.enableCompileCache?.(join(home, ".orchestra", "cache", "compile"));
}
const { main } = await import("./start.ts");
await main(home);
