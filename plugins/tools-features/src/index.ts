/** The plugin `tools.features`: projects, features and a gated workflow as tools. @module */
export { createFeaturesPlugin, type FeaturesPluginOptions } from "./plugin.ts";
