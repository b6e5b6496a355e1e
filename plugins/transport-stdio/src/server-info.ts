import type { ServerInfo } from "@orchestrator/mcp";

/** Of this package; a test holds it against package.json. */
export const VERSION = "0.1.0";

/** How this server introduces itself; the name is the one that existing clients know. */
export const SERVER_INFO: ServerInfo = {
  name: "orchestra",
  title: "Orchestra",
  version: VERSION,
  description: "The tools, prompts and documents of all plugins of an Orchestra hub",
  instructions:
    "Orchestra keeps projects and their features as Markdown files in the workspace. Begin with list_projects or " +
    "create_project; create_feature adds work, advance_feature moves it through its stages and asks for evidence at each " +
    "gate. Documents can be read as resources: orchestra://<project>/features/<id>.",
};
