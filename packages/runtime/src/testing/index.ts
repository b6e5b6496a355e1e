/** Test a plugin in process: `await using plugin = await testPlugin(definition)`. @module */
export { MemoryKv } from "./memory-kv.ts";
export { type MemoryStorage, memoryStorage } from "./memory-storage.ts";
export type { TestHub, TestHubOptions } from "./test-hub.ts";
export { type TestPlugin, type TestPluginOptions, testPlugin } from "./test-plugin.ts";
