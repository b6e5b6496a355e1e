#!/usr/bin/env node
import { definePlugin } from "@orchestrator/runtime";
import { createStorageMarkdown } from "./plugin.ts";

await definePlugin(createStorageMarkdown()).serve();
