import { expect, it } from "vitest";
import { startUnderHub } from "./support/hosts.ts";
import { toolCall } from "./support/raw-peer.ts";

it("does not stand still when its host stops reading its log", async () => {
  await using setup = await startUnderHub([], { stopReading: true });
  for (let round = 0; round < 3; round++) {
    const answer = await setup.host.ask(toolCall("flood"));
    expect(answer.response?.value).toMatchObject({ result: { text: "flooded" } });
  }
  setup.program.child.stderr!.resume();
  await setup.program.line(/log lines were dropped/);
});
