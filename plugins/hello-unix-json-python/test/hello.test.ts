import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { testHelloPlugin } from "@orchestrator/testkit/hello-unix-json";
import { expect, it } from "vitest";

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 8))"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

testHelloPlugin(
  {
    id: "hello-unix-json-python",
    language: "Python",
    program: fileURLToPath(new URL("../hello.py", import.meta.url)),
    problem: hasPython() ? undefined : "Python 3.8 or newer is absent",
  },
  (http) => {
    it("gives two cookies", async () => {
      const { headers } = await http("/cookies");
      expect(headers.filter(({ name }) => name === "set-cookie")).toHaveLength(2);
    });
  },
);
