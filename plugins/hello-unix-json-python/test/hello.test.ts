import { fileURLToPath } from "node:url";
import { hasPython } from "@orchestrator/testkit";
import { testHelloPlugin } from "@orchestrator/testkit/hello-unix-json";
import { expect, it } from "vitest";

testHelloPlugin(
  {
    id: "hello-unix-json-python",
    language: "Python",
    program: fileURLToPath(new URL("../hello.py", import.meta.url)),
    problem: hasPython("3.8") ? undefined : "Python 3.8 or newer is absent",
  },
  (http) => {
    it("gives two cookies", async () => {
      const { headers } = await http("/cookies");
      expect(headers.filter(({ name }) => name === "set-cookie")).toHaveLength(2);
    });
  },
);
