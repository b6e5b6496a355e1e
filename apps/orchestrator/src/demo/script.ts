import type { McpClient } from "./mcp-client.ts";

/** One step through the workflow: which tool is called, and what is in its arguments beside project and feature. */
interface Step {
  readonly tool: string;
  readonly args: Record<string, string>;
  /** Where the feature is afterwards. */
  readonly state: string;
}

const advance = (state: string, evidence: string): Step => ({ tool: "advance_feature", args: { evidence }, state });

/** The three gates of the workflow want to know what was done, and in which files. */
const EVIDENCE = {
  changes: "## Changes\n- src/login.ts sends a link that works once",
  results: "## Results\n- src/login.test.ts: 12 passed, among them an old link",
  docs: "## Docs\n- docs/login.md tells how to configure the mail server",
};

/** Through every state that a feature can be in: built, reviewed, sent back, mended and approved. */
export const WALK: readonly Step[] = [
  { tool: "set_current_feature", args: {}, state: "in-progress" },
  advance("in-testing", EVIDENCE.changes),
  advance("in-docs", EVIDENCE.results),
  advance("in-review", EVIDENCE.docs),
  { tool: "submit_review", args: { status: "needs-edits", comment: "Links must expire" }, state: "needs-edits" },
  { tool: "set_current_feature", args: {}, state: "in-progress" },
  advance("in-testing", `${EVIDENCE.changes} and for ten minutes`),
  advance("in-docs", EVIDENCE.results),
  advance("in-review", EVIDENCE.docs),
  { tool: "submit_review", args: { status: "approved", comment: "Well done" }, state: "done" },
];

export interface Timed {
  readonly what: string;
  readonly ms: number;
}

export interface Played {
  readonly projectId: string;
  readonly featureId: string;
  /** One per call, in order. */
  readonly created: readonly Timed[];
  /** The states that the feature went through, each with how long the call took. */
  readonly states: readonly Timed[];
  /** What the workflow said to a step without evidence. */
  readonly refusal: string;
}

/** Plays a day with the feature workflow. @throws when a tool answers otherwise than it should */
export async function play(client: McpClient): Promise<Played> {
  const created: Timed[] = [];
  const call = async (tool: string, args: Record<string, string>, note: Timed[], what: string) => {
    const started = performance.now();
    const answer = await client.callTool(tool, args);
    if (answer.isError) throw new Error(`${tool} failed: ${answer.text}`);
    note.push({ what, ms: performance.now() - started });
    return answer;
  };
  await call("create_project", { name: "Demo Shop" }, created, 'create_project "Demo Shop"');
  const project_id = "demo-shop";
  const title = "Log in with a link";
  const feature = await call(
    "create_feature",
    { project_id, title, priority: "P1" },
    created,
    `create_feature "${title}"`,
  );
  const featureId = /FEAT-[A-Z0-9]+/.exec(feature.text)?.[0];
  if (featureId === undefined) throw new Error(`create_feature did not name a feature: ${feature.text}`);
  const one = { project_id, feature_id: featureId };
  const states: Timed[] = [];
  let refusal = "";
  for (const step of WALK) {
    if (step.state === "in-testing" && refusal === "") {
      const blocked = await client.callTool("advance_feature", { ...one, evidence: "It works, trust me" });
      if (!blocked.isError) throw new Error("A step without evidence was not refused");
      refusal = blocked.text;
    }
    await call(step.tool, { ...one, ...step.args }, states, step.state);
    const { text } = await client.callTool("get_feature", one);
    if (!text.includes(step.state)) throw new Error(`The feature is not ${step.state}: ${text}`);
  }
  return { projectId: project_id, featureId, created, states, refusal };
}
