import { ErrorCode } from "@orchestrator/protocol";
import { describe, expect, it } from "vitest";
import { InFlight } from "./in-flight.ts";

const MIB = 1024 * 1024;

describe("what is under way to one plugin", () => {
  it("is limited, and a plugin gets no more than half of it", () => {
    const inFlight = new InFlight("tools.x", 5);
    const greedy = inFlight.shareOf({ id: "greedy", kind: "plugin" });
    const gateway = inFlight.shareOf({ id: "gateway", kind: "gateway" });
    for (let call = 0; call < 3; call += 1) {
      expect(inFlight.refusal(greedy, 1)).toBeUndefined();
      inFlight.begin(greedy, 1);
    }
    expect(inFlight.refusal(greedy, 1)).toMatchObject({ code: ErrorCode.ResourceExhausted });
    expect(inFlight.refusal(greedy, 1)!.message).toContain('"greedy"');
    for (let call = 0; call < 2; call += 1) {
      expect(inFlight.refusal(gateway, 1)).toBeUndefined();
      inFlight.begin(gateway, 1);
    }
    expect(inFlight.refusal(gateway, 1)!.message).toContain('"tools.x" has 5 calls');
    inFlight.end(greedy, 1);
    expect(inFlight.refusal(gateway, 1)).toBeUndefined();
    expect(inFlight.refusal(greedy, 1)).toBeUndefined();
  });

  it("counts a caller's connections together", () => {
    const inFlight = new InFlight("tools.x", 2);
    inFlight.begin(inFlight.shareOf({ id: "a", kind: "plugin" }), 1);
    expect(inFlight.refusal(inFlight.shareOf({ id: "a", kind: "plugin" }), 1)).toBeDefined();
  });

  it("is limited in bytes too, but for a single call of any size", () => {
    const inFlight = new InFlight("tools.x", 1_000);
    const share = inFlight.shareOf({ id: "gateway", kind: "gateway" });
    for (let call = 0; call < 16; call += 1) {
      expect(inFlight.refusal(share, 16 * MIB)).toBeUndefined();
      inFlight.begin(share, 16 * MIB);
    }
    expect(inFlight.refusal(share, 1)).toMatchObject({ code: ErrorCode.ResourceExhausted });
    for (let call = 0; call < 16; call += 1) inFlight.end(share, 16 * MIB);
    expect(inFlight).toMatchObject({ calls: 0, bytes: 0, total: 16 });
    expect(inFlight.refusal(share, 1)).toBeUndefined();
  });
});
