import { HealthResult_Status, HubError } from "@orchestrator/protocol";
import type { Health } from "../definition.ts";
import type { RequestValue } from "./request-kind.ts";
import type { ServedCall } from "./served-call.ts";
import type { Serving } from "./serving.ts";

/** Gives the operator's settings to the plugin. Whatever it throws refuses the boot, with its message. */
export async function serveBoot(call: ServedCall, request: RequestValue<"boot">, serving: Serving): Promise<void> {
  try {
    await serving.plugin.definition.boot?.(request.config, serving.hub);
    call.reply({ $case: "boot", value: { ready: true, error: "" } });
  } catch (thrown) {
    const error = HubError.from(thrown);
    serving.log.error(`Boot was refused: ${error.message}`, thrown instanceof HubError ? {} : { error: thrown });
    call.fail(error);
  }
}

const STATUS = {
  healthy: HealthResult_Status.STATUS_HEALTHY,
  degraded: HealthResult_Status.STATUS_DEGRADED,
  unhealthy: HealthResult_Status.STATUS_UNHEALTHY,
} as const satisfies Record<Health["status"], HealthResult_Status>;

/** Answers at any time: before boot, and while stopping. A check that throws is an answer too. */
export async function serveHealth(call: ServedCall, serving: Serving): Promise<void> {
  let health: Health = { status: "healthy" };
  try {
    health = (await serving.plugin.definition.health?.()) ?? health;
  } catch (thrown) {
    health = { status: "unhealthy", message: HubError.from(thrown).message };
  }
  const { status, message = status === "healthy" ? "ok" : "", details = {} } = health;
  call.reply({ $case: "health", value: { status: STATUS[status], message, details } });
}

/** Longest that a shutdown may take where the host does not say. */
const DEFAULT_SHUTDOWN_MS = 5_000;

/** Puts everything away, then answers. The process ends by itself soon after. */
export async function serveShutdown(
  call: ServedCall,
  request: RequestValue<"shutdown">,
  serving: Serving,
): Promise<void> {
  const budgetMs = request.timeoutSeconds > 0 ? request.timeoutSeconds * 1000 : DEFAULT_SHUTDOWN_MS;
  const clean = await serving.shutdown(budgetMs);
  call.reply({ $case: "shutdown", value: { clean } });
}
