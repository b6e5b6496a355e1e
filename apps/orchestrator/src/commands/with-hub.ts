import type { Command } from "commander";
import { HubClient } from "../hub/hub-client.ts";
import { workspaceWithHub } from "../hub/workspace.ts";
import type { Io } from "../io.ts";

export interface HubOptions {
  readonly workspace?: string;
}

/** The option that every command has that talks to a running hub. */
export function addHubOption(command: Command): Command {
  return command.option(
    "-w, --workspace <dir>",
    "the workspace whose hub is meant (default: this directory, or one above it)",
  );
}

/** Runs `work` with a connection to the workspace's hub, and closes it whatever happens. */
export async function withHub<T>(io: Io, options: HubOptions, work: (hub: HubClient) => Promise<T>): Promise<T> {
  const hub = await HubClient.open(workspaceWithHub(io, options.workspace), io.signal);
  try {
    return await work(hub);
  } finally {
    await hub.close();
  }
}
