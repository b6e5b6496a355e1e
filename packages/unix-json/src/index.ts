/** Speaks length-prefixed JSON with plugins that listen on a Unix socket: the codec, and a Link that hides it. @module */
export { type Answer, type HttpAnswer, readHttpAnswer, readKvAnswer } from "./codec/decode.ts";
export {
  httpFrame,
  type InitFields,
  initFrame,
  type KvForm,
  type KvQuestion,
  kvFrame,
  shutdownFrame,
} from "./codec/encode.ts";
export { KvTools } from "./kv-tools.ts";
export { initialise, requestShutdown } from "./lifecycle.ts";
export { UnixJsonLink, type UnixJsonLinkOptions } from "./unix-json-link.ts";
