import type { Status } from "../workflow/states.ts";

const HINTS: Readonly<Record<Status, string>> = {
  todo: "Next: start it with set_current_feature.",
  "in-progress":
    'Now: write the code, and nothing else. Then call advance_feature with a section "## Changes" that names the files.',
  "in-testing":
    'Now: write and run tests, and nothing else. Then call advance_feature with a section "## Results" that names the ' +
    "test files and what they showed.",
  "in-docs":
    'Now: write the documentation under docs/, and nothing else. Then call advance_feature with a section "## Docs" ' +
    "that names the files.",
  "in-review":
    "Now: show the user what was done and wait for their decision. Then call submit_review with it; do not decide for " +
    "them.",
  "needs-edits": "Next: call set_current_feature, make the edits that the review asks for, and walk the gates again.",
  done: "This feature is finished. get_next_feature finds the next one.",
};

/** What to do in a state, for a model that has just brought a feature there. */
export function phaseHint(status: Status): string {
  return HINTS[status];
}
