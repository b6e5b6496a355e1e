import { ErrorCode, HubError } from "@orchestrator/protocol";
import type { PluginDefinition } from "@orchestrator/runtime";
import { MarkdownStore } from "./store/store.ts";

/**
 * The plugin `storage.markdown`: storage type `markdown` over `<workspace>/.projects/`.
 * @param workspace used where the plugin runs inside another program; as a program it takes `--workspace`
 */
export function createStorageMarkdown(workspace?: string): PluginDefinition {
  let open = workspace === undefined ? undefined : new MarkdownStore(workspace);
  const store = (): MarkdownStore => {
    if (open === undefined) throw new HubError(ErrorCode.FailedPrecondition, "The storage has no workspace yet");
    return open;
  };
  return {
    id: "storage.markdown",
    version: "0.1.0",
    description: "Markdown files with YAML front matter and compare-and-set versions",
    author: "Orchestra",
    flags: { workspace: workspace ?? "." },
    setup: (flags) => {
      open = new MarkdownStore(flags["workspace"] ?? workspace ?? ".");
    },
    storage: {
      markdown: {
        read: (path) => store().read(path),
        write: (write, { signal }) => store().write(write, { signal }),
        delete: (path, { signal }) => store().delete(path, { signal }),
        list: (prefix, pattern, { signal }) => store().list(prefix, pattern, { signal }),
      },
    },
    health: () => store().health(),
    shutdown: () => open?.close(),
  };
}
