import type { Reply } from "./calls.ts";

/** Gathers the answers to the messages of one array, and sends them as one array when the last of them is there. */
export function gatherAnswers(messages: number, send: (text: string) => void): Reply {
  const answers: string[] = [];
  let due = messages;
  return (text) => {
    if (text !== undefined) answers.push(text);
    due -= 1;
    if (due === 0 && answers.length > 0) send(`[${answers.join(",")}]`);
  };
}
