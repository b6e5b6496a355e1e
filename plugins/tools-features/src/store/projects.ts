import { ToolError } from "@orchestrator/runtime";
import { paths } from "../records/paths.ts";
import { decodeProject, encodeProject, type Project } from "../records/project.ts";
import type { RecordAccess } from "./access.ts";
import { orStorageError, type UnreadableRecord } from "./documents.ts";

export class ProjectStore {
  readonly #access: RecordAccess;

  constructor(access: RecordAccess) {
    this.#access = access;
  }

  async find(slug: string): Promise<Project | undefined> {
    const document = await orStorageError(this.#access.documents.read(paths.project(slug)));
    return document && decodeProject(document.metadata, slug);
  }

  /** @throws {ToolError} `not_found` */
  async get(slug: string): Promise<Project> {
    const project = await this.find(slug);
    if (project !== undefined) return project;
    throw new ToolError("not_found", `Project "${slug}" does not exist; list_projects shows those that do`);
  }

  /** @returns false where a project with this slug exists already */
  create(project: Project): Promise<boolean> {
    return this.#access.documents.create(paths.project(project.slug), {
      metadata: encodeProject(project),
      body: "",
    });
  }

  async list(): Promise<{
    readonly projects: readonly Project[];
    readonly unreadable: readonly UnreadableRecord[];
  }> {
    const { documents } = this.#access;
    const entries = await documents.list("", "project.json");
    // One level deep: deeper files of that name are somebody's content.
    const own = entries.map((entry) => entry.path).filter((path) => path.split("/").length === 2);
    const { found, unreadable } = await documents.readAll(own);
    const projects = found.map(({ metadata, path }) => decodeProject(metadata, path.slice(0, path.indexOf("/"))));
    return { projects, unreadable };
  }

  /**
   * Removes every record below the project, its own last: a removal that fails half-way can be repeated.
   * @returns how many records there were
   */
  async remove(slug: string): Promise<number> {
    const { documents } = this.#access;
    const entries = await documents.list(slug, "*");
    const own = paths.project(slug);
    const others = entries.map((entry) => entry.path).filter((path) => path !== own);
    await documents.removeAll(others);
    await documents.remove(own);
    return others.length + 1;
  }
}
