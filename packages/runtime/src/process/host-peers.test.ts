import { ErrorCode } from "@orchestrator/protocol";
import { expect, it } from "vitest";
import { hostPeers } from "./host-peers.ts";

it.each(["orchestrator", "orchestrator-to-my.plugin", "orchestrator-operator", "orchestra-host-client"])(
  "serves %s",
  (peer) => {
    expect(hostPeers({}).refusal(peer)).toBeUndefined();
  },
);

it.each(["tools.features-client", "tools.features", "orchestratorx", "my-orchestrator", "transport.stdio-client", ""])(
  "refuses %j",
  (peer) => {
    expect(hostPeers({}).refusal(peer)).toMatchObject({ code: ErrorCode.PermissionDenied });
  },
);

it("serves more where the operator says so", () => {
  const named = hostPeers({ ORCHESTRATOR_ALLOW_PEERS: "a, b" });
  expect([named.refusal("b"), named.refusal("c")?.code]).toEqual([undefined, ErrorCode.PermissionDenied]);
  const any = hostPeers({ ORCHESTRATOR_ALLOW_PEERS: "*" });
  expect([any.refusal("c"), any.refusal("")?.code]).toEqual([undefined, ErrorCode.PermissionDenied]);
  const anonymous = hostPeers({ ORCHESTRATOR_ALLOW_ANONYMOUS: "1" });
  expect(anonymous.allowAnonymous).toBe(true);
  expect([anonymous.refusal(""), anonymous.refusal("c")?.code]).toEqual([undefined, ErrorCode.PermissionDenied]);
});
