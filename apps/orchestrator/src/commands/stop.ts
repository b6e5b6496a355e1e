import { setTimeout as sleep } from "node:timers/promises";
import { isAlive } from "@orchestrator/identity/internal";
import type { AddCommand } from "../cli.ts";
import { CliError, ExitCode } from "../exit-code.ts";
import { addHubOption, type HubOptions, withHub } from "./with-hub.ts";

/** A hub takes less than 8 s to stop whatever its plugins do. */
const STOP_MS = 12_000;

export const addStop: AddCommand = (cli) => {
  const command = cli.command("stop", "Stop the hub of a workspace and all of its plugins", {
    "orchestrator stop": "",
  });
  addHubOption(command).action(
    cli.action<HubOptions>(async ({ io, report, options }) => {
      const state = await withHub(io, options, async (hub) => {
        await hub.control({ $case: "stop", value: {} }, "done", { signal: io.signal });
        return hub.state;
      });
      const started = performance.now();
      while (isAlive(state) !== "dead") {
        if (performance.now() - started > STOP_MS) {
          throw new CliError(
            ExitCode.Failure,
            `The hub, process ${state.pid}, was told to stop and still runs after ${STOP_MS / 1000} s`,
            {
              hint: `See what it does with orchestrator logs; kill -9 ${state.pid} ends it, its plugins end with it`,
            },
          );
        }
        await sleep(10, undefined, { signal: io.signal });
      }
      report.result({ stopped: true, pid: state.pid }, () => `Stopped (process ${state.pid}).`);
      return ExitCode.Ok;
    }),
  );
};
