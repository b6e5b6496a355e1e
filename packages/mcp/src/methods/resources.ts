import type { McpResource, McpResourceTemplate } from "../backend.ts";
import type { Method, Result } from "../context.ts";
import { paginate } from "../paging.ts";
import type { Revision } from "../revision.ts";
import { invalidParams, RpcCode, RpcError } from "../rpc-error.ts";

export const listResources: Method = async (params, context) => {
  const all = await context.backend.listResources(context);
  const page = paginate(all, { kind: "resources", key: (resource) => resource.uri, params, size: context.pageSize });
  const resources = page.items.map((resource) => describe(resource, context.revision));
  return { resources, nextCursor: page.nextCursor };
};

export const listResourceTemplates: Method = async (params, context) => {
  const all = await context.backend.listResourceTemplates(context);
  const key = (template: McpResourceTemplate) => template.uriTemplate;
  const page = paginate(all, { kind: "templates", key, params, size: context.pageSize });
  const resourceTemplates = page.items.map((template) => describeTemplate(template, context.revision));
  return { resourceTemplates, nextCursor: page.nextCursor };
};

export const readResource: Method = async (params, context) => {
  const { uri } = params;
  if (typeof uri !== "string" || uri === "") throw invalidParams('resources/read needs a "uri"');
  const contents = await context.backend.readResource(uri, context);
  if (contents === undefined) throw new RpcError(RpcCode.ResourceNotFound, "Resource not found", { uri });
  return { contents };
};

/** The first millisecond that ISO 8601 cannot write with four digits of year; clients refuse a list that holds a later one. */
const YEAR_10000_MS = Date.UTC(10_000, 0);

function describe(resource: McpResource, revision: Revision): Result {
  const { uri, name, title, description, mimeType, size, modifiedAtMs = 0 } = resource;
  const dated = revision.lastModified && modifiedAtMs > 0 && modifiedAtMs < YEAR_10000_MS;
  return {
    uri,
    name,
    title: revision.titles ? title : undefined,
    description,
    mimeType,
    size,
    annotations: dated ? { lastModified: new Date(modifiedAtMs).toISOString() } : undefined,
  };
}

function describeTemplate(template: McpResourceTemplate, revision: Revision): Result {
  const { uriTemplate, name, title, description, mimeType } = template;
  return { uriTemplate, name, title: revision.titles ? title : undefined, description, mimeType };
}
