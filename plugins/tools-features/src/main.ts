#!/usr/bin/env node
import { definePlugin } from "@orchestrator/runtime";
import { createFeaturesPlugin } from "./plugin.ts";

await definePlugin(createFeaturesPlugin()).serve();
