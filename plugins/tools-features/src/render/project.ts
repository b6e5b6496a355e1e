import type { Project } from "../records/project.ts";
import { bullets } from "./bullets.ts";
import { oneLine } from "./table.ts";

export function projectBlock(project: Project): string {
  return [
    `## Project: ${oneLine(project.name)}`,
    ...bullets([
      ["Slug", project.slug],
      ["Description", project.description],
      ["Created", project.createdAt],
    ]),
  ].join("\n");
}

export function projectLine(project: Project): string {
  const description = project.description === "" ? "" : ` — ${oneLine(project.description)}`;
  return `- **${oneLine(project.name)}** (\`${project.slug}\`)${description}`;
}
